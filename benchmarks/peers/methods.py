# SPDX-License-Identifier: LGPL-2.1-or-later
"""One frame of a method as anomalib computes it, in torch and as OpenVINO model, beside ours: network input in, map and
score out. PatchCore against a bank of 6,144 vectors, PaDiM with 100 features of three layers, STFPM on three layers."""

import argparse
import pathlib
import warnings
from unittest import mock

import openvino
import torch
from anomalib.models.components import TimmFeatureExtractor
from anomalib.models.image.padim.torch_model import PadimModel
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from anomalib.models.image.stfpm.torch_model import STFPMModel
from PIL import Image
from torchvision.transforms.v2 import Compose, Normalize, Resize, ToDtype, ToImage

import machine
from turns import Ours, in_turns, print_head, print_row, ratio, spread, timed

METHODS = ["patchcore", "padim", "stfpm"]
SIZE = 256
BANK_IMAGES = 6  # of 1,024 patches each

PREPARE = Compose([
    ToImage(),
    ToDtype(torch.float32, scale=True),
    Resize((SIZE, SIZE), antialias=True),
    Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
])


def training_images(data: pathlib.Path, most: int | None = None) -> list[torch.Tensor]:
    files = sorted((data / "train" / "good").iterdir())[:most]
    return [PREPARE(Image.open(file).convert("RGB"))[None] for file in files]


def make_model(method: str, weights: pathlib.Path) -> torch.nn.Module:
    """Not fitted yet. STFPM's student has the teacher's weights too: they do not change the time."""
    if method == "padim":
        model = PadimModel(layers=["layer1", "layer2", "layer3"], backbone="resnet18", pre_trained=False, n_features=100)
    elif method == "patchcore":
        model = PatchcoreModel(layers=["layer2", "layer3"], backbone="resnet18", pre_trained=False)
    else:
        with mock.patch("timm.create_model", without_download):
            model = STFPMModel(layers=["layer1", "layer2", "layer3"], backbone="resnet18")
    state = torch.load(next(weights.glob("resnet18*.pth")), weights_only=True)
    for part in model.modules():
        if isinstance(part, TimmFeatureExtractor):
            missing = part.feature_extractor.load_state_dict(state, strict=False).missing_keys
            assert not [name for name in missing if not name.startswith("layer4")], missing
    return model


def without_download(*words, create=__import__("timm").create_model, **options):
    return create(*words, **(options | {"pretrained": False}))


def fit_for_frames(model: torch.nn.Module, images: list[torch.Tensor]) -> torch.nn.Module:
    if isinstance(model, STFPMModel):
        return model.eval()
    model.train()
    for image in images[:BANK_IMAGES]:
        model(image)
    if isinstance(model, PadimModel):
        model.fit()
    else:
        model.memory_bank = torch.vstack(model.embedding_store)
    return model.eval()


class Answers(torch.nn.Module):
    """Tensors only, as a conversion wants them."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        answer = self.model(images)
        return answer.pred_score, answer.anomaly_map


def as_open_vino(model: torch.nn.Module, images: torch.Tensor, threads: int):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = openvino.convert_model(Answers(model), example_input=images, input=[list(images.shape)])
    options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
               "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(converted, "CPU", options).create_infer_request()
    array = images.numpy()
    request.infer([array])
    return lambda: request.infer([array], share_inputs=True, share_outputs=True)


def measure(arguments: argparse.Namespace, method: str, batch: int, threads: int) -> None:
    torch.set_num_threads(threads)
    images = training_images(arguments.data, 2 * BANK_IMAGES)
    model = fit_for_frames(make_model(method, arguments.weights_dir), images)
    frames = torch.cat((images * batch)[-batch:])
    contestants = {"torch": timed(lambda: model(frames))}
    note = ""
    try:
        contestants["OpenVINO"] = timed(as_open_vino(model, frames, threads))
    except Exception as error:  # whatever the conversion says: the table tells it
        note = f" ({str(error).strip().splitlines()[0][:60]}…)"
    precisions = ["fp32", "bf16"] if machine.computes_bf16() else ["fp32"]
    ours = {precision: Ours(arguments.build / "benchmarks/methods-bench", "frame", "--method", method, "--weights-dir",
                            arguments.weights_dir, "--data", arguments.data, "--threads", threads, "--batch", batch,
                            "--precision", precision, "--images", BANK_IMAGES) for precision in precisions}
    figures = in_turns(ours | contestants, arguments.rounds)
    for precision, program in ours.items():
        vino = figures.get("OpenVINO")
        print_row(method, precision, batch, threads, spread(figures[precision]), spread(figures["torch"]),
                  spread(vino) if vino else "failed" + note, f"**{1 / ratio(figures[precision], figures['torch']):.1f}**",
                  f"**{1 / ratio(figures[precision], vino):.1f}**" if vino else "–", f"{program.peak_mb():.0f}")
        program.close()


def main(arguments: argparse.Namespace) -> None:
    machine.describe(arguments.threads)
    print_head("a frame of 256²", "precision", "batch", "threads", "ours, ms", "anomalib in torch, ms",
               "anomalib in OpenVINO, ms", "times as fast as torch", "as OpenVINO", "our process, MB")
    with torch.no_grad():
        for method in METHODS:
            for batch in (1, 2, 8):
                for threads in arguments.threads:
                    if arguments.only in f"{method} batch{batch} threads{threads}":
                        measure(arguments, method, batch, threads)
