# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fit of PatchCore at ratio 0.1 on all training images of a set, beside anomalib's torch model: once each, ours first
and last, since one of theirs takes minutes."""

import argparse
import resource
import subprocess
import time

import torch

import machine
from methods import make_model, training_images
from turns import print_head, print_row


def ours(arguments: argparse.Namespace, threads: int) -> tuple[float, int]:
    """Seconds and peak in MB."""
    words = [arguments.build / "benchmarks/methods-bench", "fit", "--weights-dir", arguments.weights_dir, "--data",
             arguments.data, "--threads", threads]
    line = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
    return float(line.split(": ")[1].split()[0]), int(line.split("peak ")[1].split()[0])


def main(arguments: argparse.Namespace) -> None:
    machine.describe(arguments.threads)
    print_head("images", "threads", "ours, s", "anomalib, s", "times as fast", "ours, MB", "anomalib, MB")
    images = training_images(arguments.data)
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        before, peak = ours(arguments, threads)
        model = make_model("patchcore", arguments.weights_dir).train()
        start = time.perf_counter()
        with torch.no_grad():
            for image in images:
                model(image)
            model.subsample_embedding(0.1)
        theirs = time.perf_counter() - start
        after, _ = ours(arguments, threads)
        mean = (before + after) / 2
        print_row(len(images), threads, f"{before:.1f}, {after:.1f}", f"{theirs:.0f}", f"**{theirs / mean:.0f}**", peak,
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
