"""Memory is given back only where nothing can be lost."""

import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.memory import give_back, mapped_weights

MAPS = """\
7f00-7f10 rw-p 00000000 fe:00 1  /m/model.safetensors
Rss:                   4 kB
Anonymous:             0 kB
7f10-7f20 rw-p 00000000 fe:00 1  /m/other.safetensors
Anonymous:             4 kB
7f20-7f30 r-xp 00000000 fe:00 1  /lib/libc.so.6
Anonymous:             0 kB
7f30-7f40 rw-p 00000000 00:00 0
Anonymous:             0 kB
"""


def test_only_weights_that_were_never_written_to():
    assert mapped_weights(MAPS) == [(0x7F00, 0x7F10)]


@pytest.mark.skipif(sys.platform != "linux", reason="maps are read on Linux only")
def test_weights_are_the_same_before_and_after(tmp_path):
    file = tmp_path / "model.safetensors"
    save_file({"a": torch.arange(300_000.0), "b": torch.ones(9)}, file)
    loaded = load_file(file)
    before = {name: tensor.clone() for name, tensor in loaded.items()}
    give_back()
    assert all(torch.equal(loaded[name], before[name]) for name in before)
    loaded["b"] += 1
    give_back()
    assert torch.equal(loaded["b"], before["b"] + 1)
