# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the small weight files that tests/core/files/state_dict_test.cpp reads.

Run: python tests/golden/make_weights.py   (with torch; the committed files come from torch 2.11.0)
"""

import collections
import pathlib

import torch

OUT = pathlib.Path(__file__).parent / "weights"


class Evil:
    """Unpickling it would run a command."""

    def __reduce__(self):
        import os

        return os.system, ("echo owned",)


def state_dict():
    """One tensor of every kind that matters."""
    base = torch.arange(24, dtype=torch.float32)
    tensors = collections.OrderedDict(
        plain=torch.arange(6, dtype=torch.float32).reshape(2, 3),
        transposed=torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
        shared_a=base[4:8],
        shared_b=base[8:16].reshape(2, 4),
        every_third=base[1::3],
        parameter=torch.nn.Parameter(torch.tensor([1.5, -2.5])),
        half=torch.tensor([0.5, -1.0], dtype=torch.float16),
        bfloat=torch.tensor([2.0, 3.0], dtype=torch.bfloat16),
        double=torch.tensor([1e300], dtype=torch.float64),
        long=torch.tensor(-(2**40)),
        int=torch.tensor([-7], dtype=torch.int32),
        short=torch.tensor([-300], dtype=torch.int16),
        char=torch.tensor([-8], dtype=torch.int8),
        byte=torch.tensor([200], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        empty=torch.empty(0, 3),
    )
    tensors._metadata = collections.OrderedDict({"": {"version": 1}})
    return tensors


def small():
    return {"weight": torch.tensor([1.0, 2.0]), "bias": torch.tensor([3.0])}


def main():
    OUT.mkdir(exist_ok=True)
    old = {"_use_new_zipfile_serialization": False}
    torch.save(state_dict(), OUT / "all_zip.pth")
    torch.save(state_dict(), OUT / "all_old.pth", **old)
    torch.save(small(), OUT / "small_zip.pth")
    torch.save(small(), OUT / "small_old.pth", **old)
    torch.save(small(), OUT / "small_protocol4.pth", pickle_protocol=4)
    torch.save({"epoch": 3, "lr": 0.1, "done": None, "state_dict": small()}, OUT / "nested.pth")
    torch.save({"student": small(), "teacher": small()}, OUT / "two_networks.pth")
    torch.save({"weight": torch.tensor([1.0]), "extra": Evil()}, OUT / "evil_zip.pth")
    torch.save({"weight": torch.tensor([1.0]), "extra": Evil()}, OUT / "evil_old.pth", **old)
    torch.save(torch.nn.Linear(1, 1), OUT / "whole_module.pth")
    torch.save([torch.tensor([1.0])], OUT / "list.pth")


if __name__ == "__main__":
    main()
