# SPDX-License-Identifier: LGPL-2.1-or-later
"""Backbones to layer 3: ours, OpenVINO, ONNX Runtime; the same weights, input and threads."""

import argparse
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime
import openvino
import torch

import machine
from resnet_onnx import OUTPUTS, make_onnx, random_state
from turns import Ours, in_turns, print_head, print_row, ratio, spread, timed

NETWORKS = ["resnet18", "wide_resnet50_2"]
PRECISIONS = {"fp32": "f32", "bf16": "bf16"}  # ours: OpenVINO's


def load_state(name: str, weights: pathlib.Path, folder: pathlib.Path) -> tuple[dict[str, np.ndarray], pathlib.Path, str]:
    """State dict, folder of its file and where it is from."""
    found = sorted(weights.glob(f"{name}*.pth"))
    if found:
        state = torch.load(found[0], weights_only=True)
        return {key: value.float().numpy() for key, value in state.items()}, weights, "ImageNet"
    state = random_state(name)
    torch.save({key: torch.from_numpy(value) for key, value in state.items()}, folder / f"{name}-random.pth")
    return state, folder, "random"


def gflop(state: dict[str, np.ndarray], size: int) -> float:
    """Of one image, a multiplication and an addition counted as two."""
    total = 0.0
    for key, value in state.items():
        if value.ndim != 4 or key.startswith("layer4"):
            continue
        stage = int(key[5]) if key.startswith("layer") else 0
        # A bottleneck's first convolution comes before the stride.
        before = ".0.conv1" in key and value.shape[2] == 1 and stage > 1
        side = size / 2 ** (1 if stage == 0 else stage + 1 - before)
        total += 2 * value.size * side**2
    return total * 1e-9


def open_vino(model: pathlib.Path, images: np.ndarray, threads: int, precision: str):
    options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
               "INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda: request.infer({"images": images}, share_inputs=True, share_outputs=True)


def onnx_runtime(model: pathlib.Path, images: np.ndarray, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(OUTPUTS, {"images": images})


def flat(outputs) -> np.ndarray:
    return np.concatenate([np.asarray(output, np.float32).ravel() for output in outputs])


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def measure(arguments: argparse.Namespace, folder: pathlib.Path, name: str, batch: int, size: int, threads: int,
            precision: str) -> None:
    state, weights, origin = load_state(name, arguments.weights_dir, folder)
    model, input_file, output_file = folder / "model.onnx", folder / "input", folder / "output"
    onnx.save(make_onnx(name, state, batch, size), model)
    images = np.random.default_rng(0).normal(size=(batch, 3, size, size)).astype(np.float32)
    images.tofile(input_file)
    ours = Ours(arguments.build / "benchmarks/backbone-bench", "--backbone", name, "--weights-dir", weights, "--shape",
                f"{batch},{size},{size}", "--input", input_file, "--output", output_file, "--precision", precision,
                "--threads", threads)
    features = np.fromfile(output_file, np.float32)
    vino = open_vino(model, images, threads, precision)
    contestants = {"ours": ours, "OpenVINO": timed(vino)}
    errors = [difference(features, flat(vino().values()))]
    if precision == "fp32":
        runtime = onnx_runtime(model, images, threads)
        contestants["ONNX Runtime"] = timed(runtime)
        errors.append(difference(features, flat(runtime())))
    figures = in_turns(contestants, arguments.rounds)
    ours.close()
    rate = batch * gflop(state, size) / min(figures["ours"]) * 1e3
    against = [f"**{ratio(figures['ours'], figures[peer]):.2f}**" if peer in figures else "–"
               for peer in ("OpenVINO", "ONNX Runtime")]
    print_row(f"{name} ({origin})", precision, f"{size}²", batch, threads,
              *(spread(figures[name]) if name in figures else "–" for name in ("ours", "OpenVINO", "ONNX Runtime")),
              *against, f"{max(errors):.0e}", f"{rate:.0f}")


def main(arguments: argparse.Namespace) -> None:
    machine.describe(arguments.threads)
    print_head("network to layer 3", "precision", "size", "batch", "threads", "ours, ms", "OpenVINO, ms", "ONNX Runtime, ms",
               "of OpenVINO's time", "of ONNX Runtime's", "largest difference", "GFLOP/s, ours")
    precisions = [precision for precision in PRECISIONS if precision == "fp32" or machine.computes_bf16()]
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            for precision in precisions:
                for size in (224, 256):
                    for batch in (1, 8):
                        for threads in arguments.threads:
                            if arguments.only in f"{name} {precision} {size} batch{batch} threads{threads}":
                                measure(arguments, pathlib.Path(folder), name, batch, size, threads, precision)
