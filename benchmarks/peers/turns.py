# SPDX-License-Identifier: LGPL-2.1-or-later
"""Contestants measured in turns, and how their figures are told."""

import pathlib
import statistics
import subprocess
import time
from collections.abc import Callable

Contestant = Callable[[int], float]  # number of runs → median milliseconds


class Ours:
    """One of our programs that answers numbers on its standard input by milliseconds (benchmarks/measuring.h)."""

    def __init__(self, program: pathlib.Path, *words: object) -> None:
        self.process = subprocess.Popen([str(word) for word in (program, *words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self._answer()

    def __call__(self, runs: int) -> float:
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return self._answer()

    def peak_mb(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> float:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended without an answer; it says why above.")
        return float(line)


def timed(work: Callable[[], object]) -> Contestant:
    """Something of this process, warmed up."""
    for _ in range(2):
        work()

    def contestant(runs: int) -> float:
        taken = []
        for _ in range(runs):
            start = time.perf_counter()
            work()
            taken.append((time.perf_counter() - start) * 1e3)
        return statistics.median(taken)

    return contestant


def in_turns(contestants: dict[str, Contestant], rounds: int, about_ms: float = 400) -> dict[str, list[float]]:
    """Milliseconds of every round. Each turn lasts about as long as said, one run at least."""
    runs = {name: max(1, round(about_ms / contestant(1))) for name, contestant in contestants.items()}
    figures = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            figures[name].append(contestant(runs[name]))
    return figures


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Of each round, so that a slow moment of the machine does not count; their median."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def print_row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def print_head(*cells: str) -> None:
    print_row(*cells)
    print_row(*["---"] * len(cells))
