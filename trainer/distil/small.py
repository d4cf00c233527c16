"""The small model that ships: made of the embedded base, the shipped adapter and what lies in
assets/small, where a run's student is put once a form of it passed. `engine.small` says where the
model goes and when.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from engine.adapters import merged
from engine.checking import read_adapter
from engine.forms import FormError, form_folder, read_told, save_form, shrink, write_told
from engine.models import load_base
from engine.settings import Settings
from engine.small import is_made, small_assets
from trainer.catalogue import shipped
from trainer.distil.recipe import Distil
from trainer.distil.student import FILE, FOLDER, Cut, build, read_cut
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
    """Make the small model in `folder`, where it is not there. Its verdict comes last: without one
    it is none. Of several that are asked for it at once, one makes it."""
    source, wanted = small_assets(), read_told(small_assets())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if is_made(folder, wanted):
            return
        _clear(folder)
        try:
            place = folder.with_name(f"{folder.name}.student")
            student = make_student_again(read_cut(source / FILE), place, settings)
            base = load_base(replace(settings, base=str(student), dtype="bfloat16", device="cpu"))
            model: Any = merged(base, read_adapter(source))
            tensors = shrink(model, wanted.form)
            told = save_form(
                folder, model.config, wanted.form, tensors, wanted.base, wanted.adapter
            )
            base.tokenizer.save_pretrained(str(folder))
        finally:
            _clear(folder)
        write_told(folder, replace(told, gate=wanted.gate))


def _clear(folder: Path) -> None:
    """Remove what stands beside the folder while it is made; a kill leaves it there."""
    for left in folder.parent.glob(f"{folder.name}.*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


def ship_small(run: Path, form: str, settings: Settings) -> Path:
    """Put what is needed of a run's student into assets/small, with the verdict on this form of it;
    that folder. FormError where it was not judged here, or did not pass."""
    adapter, cut = read_adapter(run / ADAPTER), read_cut(run / FOLDER / FILE)
    judged = read_told(form_folder(settings.home, adapter.version, form))
    if not judged.gate.get("fit"):
        raise FormError("form_refused", f"{form} of {run} did not pass: {judged.gate or 'no gate'}")
    place = small_assets()
    place.mkdir(exist_ok=True)
    for file in adapter.folder.iterdir():
        shutil.copy(file, place / file.name)
    shutil.copy(run / FOLDER / FILE, place / FILE)
    write_told(place, replace(judged, base=cut.base, adapter=cut.adapter))
    return place
