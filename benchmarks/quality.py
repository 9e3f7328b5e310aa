#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Image and pixel AUROC of a method on real data sets, size and cost of its models: the tables of docs/results.md.

  meson devenv -C build ../benchmarks/quality.py --data FOLDER --weights-dir FOLDER [--method padim] [--seeds 1 2 3]
      [--sets kolektor_sdd …] [any option of uad train]

FOLDER holds the sets in MVTec layout under the names below. anomalib's columns are what anomalib 2.7.0 gave on the same
images, weights and 256x256 input: PatchCore with layer2 and layer3, PaDiM with 100 features of layer1, layer2 and layer3.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

SETS = {  # method: folder, its own options, anomalib's image and pixel AUROC
    "patchcore": [
        ("kolektor_sdd/commutator", ["--ratio", "0.1"], (0.851, 0.880)),
        ("magnetic_tile/tile", ["--ratio", "0.01"], (0.926, 0.763)),
        ("mvtec_ad/screw", ["--ratio", "0.01"], (0.897, 0.972)),
        ("glass_panel/cover", ["--ratio", "0.1"], (1.0, 0.931)),
    ],
    "padim": [
        ("kolektor_sdd/commutator", [], (0.823, 0.847)),
        ("magnetic_tile/tile", [], (0.832, 0.739)),
        ("mvtec_ad/screw", [], (0.698, 0.973)),
        ("glass_panel/cover", [], (1.0, 0.901)),
    ],
}


def run(*arguments: str) -> float:
    """CPU seconds."""
    before = os.times()
    done = subprocess.run(["uad", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"uad {arguments[0]} failed: {done.stderr.strip()}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(data: pathlib.Path, seed: int, options: argparse.Namespace, rest: list[str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        model, report = f"{folder}/model.uad", f"{folder}/report.json"
        fit_s = run("train", "--method", options.method, "--data", str(data), "--output", model, "--weights-dir",
                    options.weights_dir, "--seed", str(seed), "--do-eval", "false", *rest)
        run("eval", "--model", model, "--data", str(data), "--json", report)
        return json.loads(pathlib.Path(report).read_text()) | {"fit_s": fit_s, "bytes": os.path.getsize(model)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights-dir", required=True)
    parser.add_argument("--method", choices=list(SETS), default="patchcore")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--sets", nargs="+", default=[""], help="beginnings of the sets' names")
    options, rest = parser.parse_known_args()
    print("| set | options | image AUROC (seeds) | mean | anomalib | pixel AUROC | anomalib | model MB | train, CPU s | ms/image |")
    print("| --- " * 10 + "|")
    for name, own, (image_peer, pixel_peer) in SETS[options.method]:
        if not name.startswith(tuple(options.sets)):
            continue
        data = pathlib.Path(options.data) / name
        reports = [measure(data, seed, options, own + rest) for seed in options.seeds]
        image = [report["image_auroc"] for report in reports]
        pixel = [report["pixel_auroc"] for report in reports]
        size, fit_s, time = (statistics.median(report[key] for report in reports)
                             for key in ("bytes", "fit_s", "ms_per_image"))
        print(f"| {name} | {' '.join(own + rest)} | {' '.join(f'{v:.4f}' for v in image)} | {sum(image) / len(image):.4f} "
              f"| {image_peer} | {sum(pixel) / len(pixel):.4f} | {pixel_peer} | {size / 1e6:.1f} | {fit_s:.0f} | {time:.1f} |",
              flush=True)


if __name__ == "__main__":
    main()
