#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Image and pixel AUROC of PatchCore on real data sets: the table of docs/results.md.

  meson devenv -C build ../benchmarks/quality.py --data FOLDER --weights-dir FOLDER [--seeds 1 2 3]

FOLDER holds the sets in MVTec layout under the names below. anomalib's column is what anomalib 2.7.0 gave on the same
images, weights and 256x256 input with layer2 and layer3.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

SETS = [  # folder, ratio of the coreset, anomalib's image and pixel AUROC
    ("kolektor_sdd/commutator", 0.1, (0.851, 0.880)),
    ("magnetic_tile/tile", 0.01, (0.926, 0.763)),
    ("mvtec_ad/screw", 0.01, (0.897, 0.972)),
    ("glass_panel/cover", 0.1, (1.0, 0.931)),
]


def run(*arguments: str) -> None:
    done = subprocess.run(["uad", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"uad {arguments[0]} failed: {done.stderr.strip()}")


def measure(data: pathlib.Path, ratio: float, seed: int, options: argparse.Namespace, rest: list[str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        model, report = f"{folder}/model.uad", f"{folder}/report.json"
        run("train", "--method", "patchcore", "--data", str(data), "--output", model, "--weights-dir",
            options.weights_dir, "--ratio", str(ratio), "--seed", str(seed), *rest)
        run("eval", "--model", model, "--data", str(data), "--json", report)
        return json.loads(pathlib.Path(report).read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights-dir", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options, rest = parser.parse_known_args()
    print("| set | ratio | image AUROC (seeds) | mean | anomalib | pixel AUROC | anomalib | ms/image |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, ratio, (image_peer, pixel_peer) in SETS:
        reports = [measure(pathlib.Path(options.data) / name, ratio, seed, options, rest) for seed in options.seeds]
        image = [report["image_auroc"] for report in reports]
        pixel = [report["pixel_auroc"] for report in reports]
        time = [report["ms_per_image"] for report in reports]
        print(f"| {name} | {ratio} | {' '.join(f'{v:.4f}' for v in image)} | {sum(image) / len(image):.4f} | {image_peer} "
              f"| {sum(pixel) / len(pixel):.4f} | {pixel_peer} | {sorted(time)[len(time) // 2]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
