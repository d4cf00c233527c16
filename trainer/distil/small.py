"""The small model that ships: made of the embedded base, the shipped adapter and what lies in
assets/small, where a run's student is put once a form of it passed. `engine.small` says where the
model goes and when.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.adapters import merged
from engine.checking import read_adapter
from engine.forms import FormError, form_folder, read_told, save_form, shrink, write_told
from engine.models import load_base
from engine.settings import Settings
from engine.small import CUT, small_assets
from trainer.catalogue import shipped
from trainer.distil.recipe import Distil
from trainer.distil.student import FOLDER, Cut, build, read_cut
from trainer.distil.teacher import load_teacher
from trainer.recipe import BASE, Recipe
from trainer.run import ADAPTER


def make_student_again(cut: Cut, folder: Path, settings: Settings, adapter: str = "") -> Path:
    """The student of a cut, in `folder`; RecipeError where base or adapter (default: what ships)
    are not those that it is of."""
    named = adapter or (str(shipped().folder) if cut.adapter else BASE)
    teacher = load_teacher(replace(Recipe(), distil=Distil(teacher=named)), Path(), settings)
    return build(cut, teacher, folder)


def make_small(folder: Path, settings: Settings) -> None:
    """Make the small model in `folder`. Its verdict comes last: without one it is none."""
    source = small_assets()
    wanted = read_told(source)
    form = wanted.form
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


def ship_small(run: Path, form: str, settings: Settings) -> Path:
    """Put what is needed of a run's student into assets/small, with the verdict on this form of it;
    that folder. FormError where it was not judged here, or did not pass."""
    adapter, cut = read_adapter(run / ADAPTER), read_cut(run / FOLDER / CUT)
    judged = read_told(form_folder(settings.home, adapter.version, form))
    if not judged.gate.get("fit"):
        raise FormError("form_refused", f"{form} of {run} did not pass: {judged.gate or 'no gate'}")
    place = small_assets()
    place.mkdir(exist_ok=True)
    for file in adapter.folder.iterdir():
        shutil.copy(file, place / file.name)
    shutil.copy(run / FOLDER / CUT, place / CUT)
    write_told(place, replace(judged, base=cut.base, adapter=cut.adapter))
    return place
