# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory of a process that judges with a resnet18 model, the time from its start to the first result, and where both go."""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import machine
from turns import print_head, print_row, spread

GOAL_S, GOAL_MB = 1.0, 600


def run(*words: object) -> tuple[float, float, float]:
    """Seconds by the clock, of processor time, and peak in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{words[0]} failed")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(arguments: argparse.Namespace) -> None:
    machine.describe(arguments.threads)
    uad = arguments.build / "tools/uad"
    image = next((arguments.data / "train" / "good").iterdir())
    print_head("process", "to its end, s", "processor time, s", "peak, MB")
    with tempfile.TemporaryDirectory() as folder:
        tasks = {"LibTorch and ours loaded, nothing done (`uad --help`)": (uad, "--help")}
        for method, options in (("patchcore", ["--ratio", "0.1"]), ("padim", [])):
            model = pathlib.Path(folder) / f"{method}.uad"
            subprocess.run([str(uad), "train", "--method", method, "--data", str(arguments.data), "--weights-dir",
                            str(arguments.weights_dir), "--output", str(model), "--do-eval", "false", *options],
                           check=True, capture_output=True)
            tasks[f"{method}: model read and checked (`uad info`)"] = (uad, "info", model)
            tasks[f"{method}: one image judged (`uad predict`)"] = (uad, "predict", "--model", model, image)
        figures = {name: [] for name in tasks}
        for _ in range(arguments.rounds):
            for name, words in tasks.items():
                figures[name].append(run(*words))
    for name, rounds in figures.items():
        clock, cpu, peak = zip(*rounds)
        print_row(name, spread_s(clock), spread_s(cpu), spread(peak))
    judged = [rounds for name, rounds in figures.items() if "predict" in name]
    for rounds in judged:
        clock, _, peak = (statistics.median(values) for values in zip(*rounds))
        print(f"\nFirst result: {clock:.2f} s (goal {GOAL_S:.0f} s); memory: {peak:.0f} MB (goal {GOAL_MB} MB).")


def spread_s(values: tuple[float, ...]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"
