"""The small model that ships: made of the embedded base, the shipped adapter and what lies in
assets/small. `engine.small` says where it goes and when.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.adapters import merged
from engine.checking import read_adapter
from engine.forms import Form, read_told, save_form, shrink, write_told
from engine.models import load_base
from engine.settings import Settings
from engine.small import CUT, small_assets
from trainer.catalogue import shipped
from trainer.distil.recipe import Distil
from trainer.distil.student import Cut, build, read_cut
from trainer.distil.teacher import load_teacher
from trainer.recipe import BASE, Recipe


def make_student_again(cut: Cut, folder: Path, settings: Settings, adapter: str = "") -> Path:
    """The student of a cut, in `folder`; RecipeError where base or adapter (default: what ships)
    are not those that it is of."""
    named = adapter or (str(shipped().folder) if cut.adapter else BASE)
    teacher = load_teacher(replace(Recipe(), distil=Distil(teacher=named)), Path(), settings)
    return build(cut, teacher, folder)


def make_small(folder: Path, settings: Settings, source: Path | None = None) -> None:
    """Make the small model in `folder`, of what ships or what lies in `source`. Its verdict comes
    last: without one it is none."""
    source = source or small_assets()
    wanted = read_told(source)
    form = Form(**dict(wanted.ways) | {"plain": tuple(wanted.ways["plain"])})
    place = folder.with_name(f"{folder.name}.student")  # what a kill left goes first
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        student = make_student_again(read_cut(source / CUT), place, settings)
        base = load_base(replace(settings, base=str(student), dtype="bfloat16", device="cpu"))
        model: Any = merged(base, read_adapter(source))
        tensors = shrink(model, form)
        told = save_form(folder, model.config, form, tensors, wanted.base, wanted.adapter)
        base.tokenizer.save_pretrained(str(folder))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    write_told(folder, replace(told, gate=wanted.gate))
