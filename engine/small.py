"""The small model for English–Chinese words: a student of the shipped adapter, in bytes.

What ships of it lies in assets/small: what was taken out of the model, an adapter, a verdict. The
first start with CTX_FORM=small makes the whole of that and the embedded base, in a process of its
own; it then lies among the forms of the shipped adapter and is read like any of them.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

from engine.forms import UNFIT, VERSION, FormError, Told, form_folder, read_told
from engine.lean import has_bfloat16
from engine.models import Progress
from engine.settings import SMALL, Settings, assets

log = logging.getLogger(__name__)


def small_assets() -> Path:
    """What ships of the small model."""
    return assets() / SMALL


def find_small(settings: Settings, base: str, adapter: str, progress: Progress) -> Path:
    """The folder of the small model, made first where that was not done yet; FormError where it is
    not of this base and adapter, or cannot be made."""
    shipped = read_told(small_assets())
    if not has_bfloat16():
        raise FormError("form_unfit", UNFIT)
    if shipped.form.missing:
        raise FormError("form_missing_library", f"CTX_FORM={SMALL}: {shipped.form.missing}")
    if (shipped.base, shipped.adapter) != (base, adapter):
        raise FormError(
            "form_missing",
            f"CTX_FORM={SMALL} is made of {shipped.base} with adapter {shipped.adapter}, not of"
            f" {base} with {adapter}.",
        )
    folder = form_folder(settings.home, adapter, SMALL)
    if not is_made(folder, shipped):
        progress("converting", 0.9)
        _make_in_child(settings, folder)
    return folder


def is_made(folder: Path, shipped: Told) -> bool:
    """Whether a folder holds what ships, made for these products. Its verdict is written last."""
    try:
        told = read_told(folder)
    except FormError:
        return False
    mine = (told.gate, told.ways, told.version)
    return mine == (shipped.gate, shipped.ways, VERSION) and (folder / "tokenizer.json").is_file()


def _make_in_child(settings: Settings, folder: Path) -> None:
    """In a process of its own: its memory goes with it, and readers' pages stay quick."""
    command = [sys.executable, "-m", "trainer", SMALL, str(folder)]
    root = Path(__file__).resolve().parent.parent
    environment = os.environ | {"CTX_HOME": str(settings.home), "CTX_BASE": "embedded"}
    made = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    if made.returncode:
        log.error("making the small model failed:\n%s%s", made.stdout, made.stderr)
        last = (made.stderr.strip() or "killed").splitlines()[-1]
        raise FormError("form_failed", f"CTX_FORM={SMALL} could not be made: {last}")
