#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times anomalib's bare models (2.7.0) in turns with methods-bench, on one machine.

frame: PEER/bin/python benchmarks/peer_anomalib.py frame --method padim \
           --bench build/benchmarks/methods-bench --weights-dir DIR --data FOLDER
fit:   PEER/bin/python benchmarks/peer_anomalib.py fit --method padim --weights-dir DIR --data FOLDER

PEER is a Python environment with `anomalib==2.7.0`. Both sides get the same images, the same
weights and the same number of threads. The frame is 256x256: PatchCore against a bank of 6,144
vectors, PaDiM with 100 features of three layers.
"""

import argparse
import pathlib
import resource
import statistics
import subprocess
import time

import torch
from anomalib.models.image.padim.torch_model import PadimModel
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from PIL import Image
from torchvision.transforms.v2 import Compose, Normalize, Resize, ToDtype, ToImage

PREPARE = Compose([
    ToImage(),
    ToDtype(torch.float32, scale=True),
    Resize((256, 256), antialias=True),
    Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
])


def training_images(data: pathlib.Path) -> list[torch.Tensor]:
    files = sorted((data / "train" / "good").iterdir())
    return [PREPARE(Image.open(file).convert("RGB"))[None] for file in files]


def make_model(arguments: argparse.Namespace) -> torch.nn.Module:
    if arguments.method == "padim":
        model = PadimModel(layers=["layer1", "layer2", "layer3"], backbone="resnet18", pre_trained=False, n_features=100)
    else:
        model = PatchcoreModel(layers=["layer2", "layer3"], backbone="resnet18", pre_trained=False)
    state = torch.load(next(arguments.weights_dir.glob("resnet18*.pth")), weights_only=True)
    extractor = model.feature_extractor.feature_extractor
    missing = extractor.load_state_dict(state, strict=False).missing_keys
    assert not [name for name in missing if not name.startswith("layer4")], missing
    return model


def finish(model: torch.nn.Module) -> None:
    if isinstance(model, PadimModel):
        model.fit()
    else:
        model.subsample_embedding(0.1)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fit(arguments: argparse.Namespace) -> None:
    model = make_model(arguments).train()
    images = training_images(arguments.data)
    start = time.perf_counter()
    for image in images:
        model(image)
    finish(model)
    taken = time.perf_counter() - start
    print(f"anomalib fit of {len(images)} images: {taken:.1f} s, peak {peak_mb():.0f} MB")


def frame_ms(model: torch.nn.Module, image: torch.Tensor) -> float:
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        model(image)
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)


def frame(arguments: argparse.Namespace) -> None:
    model = make_model(arguments).train()
    images = training_images(arguments.data)
    for image in images[:6]:
        model(image)
    if arguments.method == "padim":
        model.fit()
    else:
        model.memory_bank = torch.vstack(model.embedding_store)
    model.eval()
    frame_ms(model, images[-1])
    command = [arguments.bench, "frame", "--method", arguments.method, "--threads", str(arguments.threads), "--data",
               arguments.data, "--weights-dir", arguments.weights_dir]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ours:
        for _ in range(arguments.rounds):
            line = ours.stdout.readline().strip()
            print(f"anomalib fp32 {frame_ms(model, images[-1]):.2f} ms | ours {line}", flush=True)
            ours.stdin.write("\n")
            ours.stdin.flush()
        ours.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["frame", "fit"])
    parser.add_argument("--method", choices=["patchcore", "padim"], default="patchcore")
    parser.add_argument("--weights-dir", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="MVTec layout")
    parser.add_argument("--bench", type=pathlib.Path, help="methods-bench, for frame")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with torch.no_grad():
        {"frame": frame, "fit": fit}[arguments.task](arguments)


if __name__ == "__main__":
    main()
