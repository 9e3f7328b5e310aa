# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run was made on: processor, its instructions, load, versions, and the fastest matrix product at that moment."""

import importlib.metadata
import os
import pathlib

import numpy as np
from threadpoolctl import threadpool_limits

from turns import timed

_FLAGS = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX"}


def flags() -> set[str]:
    text = pathlib.Path("/proc/cpuinfo").read_text()
    return set(text.split("flags", 1)[1].split("\n", 1)[0].split())


def computes_bf16() -> bool:
    """As our engine asks: without these instructions a row of bf16 would say nothing."""
    return "avx512f" in flags()


def gemm_gflops(threads: int, size: int = 768) -> float:
    a, b = (np.random.default_rng(i).normal(size=(size, size)).astype(np.float32) for i in (1, 2))
    with threadpool_limits(threads):
        best = min(timed(lambda: a @ b)(1) for _ in range(15))
    return 2 * size**3 / best * 1e-6


def describe(threads: list[int]) -> None:
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = text.split("model name", 1)[1].split(":", 1)[1].split("\n", 1)[0].strip()
    instructions = ", ".join(label for flag, label in _FLAGS.items() if flag in flags())
    versions = ", ".join(f"{peer} {importlib.metadata.version(peer)}"
                         for peer in ("openvino", "onnxruntime", "anomalib", "torch"))
    print(f"{name} ({instructions}), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"nice {os.nice(0)}. {versions}.")
    for count in threads:
        print(f"Best float32 matrix product (numpy) with {count} threads: {gemm_gflops(count):.0f} GFLOP/s.")
    if not computes_bf16():
        print("No bf16: this processor has no instructions for it (AVX-512 at least).")
    print(flush=True)
