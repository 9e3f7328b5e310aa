# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ours costs over frame size, windows, bank, streams and training images: one CSV, and one SVG with five charts."""

import argparse
import csv
import math
import pathlib
import re
import statistics
import subprocess
import tempfile

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

import machine
from turns import Ours, in_turns

METHODS = ["patchcore", "padim", "stfpm"]
FIT_SIZE = 128  # pixels: a thousand images of 256 patches each


class Curves:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.threads = max(arguments.threads)
        self.rows = []  # curve, name, x, median, least, most

    def keep(self, curve: str, name: str, x: float, values: list[float]) -> None:
        row = (curve, name, x, *(round(f(values), 3) for f in (statistics.median, min, max)))
        self.rows.append(row)
        print(*row, sep=",", flush=True)

    def bench(self, task: str, *words: object) -> list[object]:
        return [self.arguments.build / "benchmarks/methods-bench", task, "--weights-dir", self.arguments.weights_dir,
                "--threads", self.threads, *words]

    def frames(self, curve: str, name: str, option: str, values: list[int], *words: object) -> None:
        """All values in turns, in processes of their own."""
        programs = {value: Ours(*self.bench("frame", option, value, *words)) for value in values}
        figures = in_turns(programs, self.arguments.rounds, about_ms=150)
        for value, program in programs.items():
            program.close()
            self.keep(curve, name, value, figures[value])

    def frame_size(self) -> None:
        for method in METHODS:
            self.frames("frame size", method, "--size", [128, 192, 256, 384, 512], "--method", method, "--images", 3)

    def windows(self) -> None:
        for method in METHODS:
            self.frames("windows", method, "--batch", [1, 2, 4, 8, 16], "--method", method, "--images", 3)

    def bank(self) -> None:
        """1,024 vectors an image of noise: less alike than real ones, so this is rather the worst case."""
        self.frames("bank", "patchcore", "--images", [1, 2, 4, 8, 16], "--method", "patchcore")

    def fits(self) -> None:
        for ratio in (0.01, 0.1):
            for count in (20, 50, 100, 200, 500, 1000):
                words = self.bench("fit", "--data", self.arguments.data, "--size", FIT_SIZE, "--images", count, "--ratio", ratio)
                line = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout
                self.keep("training images", f"ratio {ratio}", count, [float(line.split(": ")[1].split()[0])])

    def streams(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(folder) / "padim.uad"
            uad = [str(self.arguments.build / "tools/uad"), "train", "--method", "padim", "--data", str(self.arguments.data),
                   "--weights-dir", str(self.arguments.weights_dir), "--output", str(model), "--do-eval", "false"]
            subprocess.run(uad, check=True, capture_output=True)
            for count in (1, 2, 4, 8):
                words = ["meson", "devenv", "-C", str(self.arguments.build), "-w", ".", "benchmarks/streams-bench", str(model),
                         "3", str(self.arguments.rounds), str(count)]
                output = subprocess.run(words, check=True, capture_output=True, text=True).stdout
                rates = re.findall(r"shared +([\d.]+) frames/s", output)[:-1]  # the last one is the median
                self.keep("streams", "padim, one model", count, [float(rate) for rate in rates])

    def write(self) -> None:
        folder = self.arguments.out
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "curves.csv", "w", newline="") as file:
            csv.writer(file).writerows([("curve", "name", "x", "median", "least", "most"), *self.rows])
        curves = {row[0]: None for row in self.rows}
        figure, charts = pyplot.subplots(1, len(curves), figsize=(5 * len(curves), 4.5), squeeze=False)
        for chart, curve in zip(charts[0], curves):
            draw(chart, curve, [row for row in self.rows if row[0] == curve])
        figure.tight_layout()
        figure.savefig(folder / "curves.svg")
        print(f"\nWritten: {folder}/curves.csv and curves.svg")


LABELS = {
    "frame size": ("side of the network's input, pixels", "ms a frame"),
    "windows": ("windows of 256² in a batch", "ms a batch"),
    "bank": ("training images of 1,024 vectors each in the bank", "ms a frame"),
    "training images": (f"training images of {FIT_SIZE}²", "s to fit"),
    "streams": ("streams on one model", "frames a second, all together"),
}


def draw(chart, curve: str, rows: list[tuple]) -> None:
    for name in dict.fromkeys(row[1] for row in rows):
        own = [row for row in rows if row[1] == name]
        x, y = [row[2] for row in own], [row[3] for row in own]
        line = chart.errorbar(x, y, [[row[3] - row[4] for row in own], [row[5] - row[3] for row in own]], marker="o",
                              capsize=3, label=name)
        if curve == "training images":  # through the middle of ours
            middle = len(x) // 2
            chart.plot(x, [y[middle] * n * math.log(n) / (x[middle] * math.log(x[middle])) for n in x], "--",
                       color=line[0].get_color(), label="n · log n")
    chart.set(title=curve, xlabel=LABELS[curve][0], ylabel=LABELS[curve][1], xscale="log", yscale="log")
    chart.set_xticks(sorted({row[2] for row in rows}), [f"{x:g}" for x in sorted({row[2] for row in rows})])
    chart.minorticks_off()
    chart.legend()


def main(arguments: argparse.Namespace) -> None:
    machine.describe(arguments.threads)
    curves = Curves(arguments)
    for curve in (curves.frame_size, curves.windows, curves.bank, curves.streams, curves.fits):
        if arguments.only in curve.__name__:
            curve()
    curves.write()
