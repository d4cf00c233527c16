"""A recipe as a folder that runs elsewhere: the recipe, its data, the code and one command.

python -m trainer bundle RECIPE.json DIR. Nothing in the folder points outside it; what comes back
in it is taken in by trainer/adopt.py. Knows no model.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from collections.abc import Collection
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.catalogue import readers_folder
from engine.checking import CARD, CONFIG, WEIGHTS, read_adapter
from engine.settings import VERSION, Settings, assets
from trainer.examples import hash_files
from trainer.loading import find_source
from trainer.recipe import (
    BASE,
    PRESENT,
    Recipe,
    RecipeError,
    Source,
    load_recipe,
    on_base,
    placed,
    save_recipe,
    stated,
)

RECIPE, MANIFEST, OUT, DATA = "recipe.json", "bundle.json", "out", "data"
_SENT = "bundles"  # in CTX_HOME: the recipes that went out, by hash
_START = "start"  # folder of the adapter that the run goes on from
_TEACHER = "teacher"  # folder of the adapter that it is distilled from
_CODE = ("engine", "trainer", "db")
_ASSETS = ("phrasebook.tsv", "wordbook.tsv.gz", "licences")
_NOT_NEEDED = ("#", "gradio", "openai")  # of requirements.txt: notes, screens and teachers
_SOURCE = "dataset"  # the format of sources that are no file yet
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


class BundleError(RuntimeError):
    """A bundle that cannot be made or taken back, with the reason."""

    code = "bundle"


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself: its recipe's hash, and the SHA-256 of each file of data."""

    recipe: str
    name: str
    version: str
    files: dict[str, str]


def recipe_hash(recipe: Recipe) -> str:
    """The SHA-256 of what a recipe states."""
    text = json.dumps(stated(recipe), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def kept_recipe(home: Path, name: str) -> Recipe | None:
    """The recipe as it is at home, of which a bundle with this hash was made here; None where no
    such bundle was."""
    file = home / _SENT / f"{name}.json"
    return load_recipe(file) if file.is_file() else None


def make_bundle(file: Path, folder: Path, settings: Settings) -> Manifest:
    """Write the recipe in `file` as a bundle to the new folder; BundleError, RecipeError or Refused
    where it cannot be one."""
    if folder.exists() and any(folder.iterdir()):
        raise BundleError(f"{folder} is not empty")
    base = on_base(load_recipe(file), settings).base
    if Path(base).expanduser().is_dir():
        raise BundleError(f"the base {base} is a folder of this machine: name a hub id")
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        made = _fill(file, fresh, settings)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rmdir()
    fresh.rename(folder)
    sent = settings.home / _SENT
    sent.mkdir(mode=0o700, parents=True, exist_ok=True)
    at_home = placed(load_recipe(file), file.resolve().parent)
    save_recipe(at_home, sent / f"{made.recipe}.json")
    return made


def _fill(file: Path, folder: Path, settings: Settings) -> Manifest:
    placing = _Placed(folder, settings)
    recipe = placing.recipe(load_recipe(file), file.resolve().parent, RECIPE)
    for name in _CODE:
        shutil.copytree(assets().parent / name, folder / name, ignore=_not_code)
    for name in _ASSETS:
        _copy(assets() / name, folder / "assets" / name)
    _copy(assets().parent / "LICENSE", folder / "LICENSE")
    needed = requirements(
        (assets().parent / "requirements.txt").read_text(), recipe, placing.formats
    )
    (folder / "requirements.txt").write_text(needed)
    (folder / "run.sh").write_text(RUN.replace("base=BASE", f"base={shlex.quote(settings.base)}"))
    (folder / "run.sh").chmod(0o755)
    (folder / "README.md").write_text(README.format(name=recipe.name, out=OUT), encoding="utf-8")
    data = sorted(one for one in (folder / DATA).rglob("*") if one.is_file())
    hashes = {one.relative_to(folder).as_posix(): hash_files([one]) for one in data}
    made = Manifest(recipe_hash(recipe), recipe.name, VERSION, hashes)
    (folder / MANIFEST).write_text(json.dumps(asdict(made), indent=1) + "\n")
    return made


def read_manifest(folder: Path) -> Manifest:
    """What the bundle in `folder` says of itself; BundleError where it is none."""
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"{folder} is no bundle: {error}") from error


class _Placed:
    """Copies what recipes name into a bundle, each file once."""

    def __init__(self, folder: Path, settings: Settings):
        self._folder, self._settings = folder, settings
        self._known: dict[tuple[Path, ...], str] = {}
        self._starts: list[Path] = []
        self.formats: set[str] = set()  # of all sources

    def recipe(self, recipe: Recipe, home: Path, name: str) -> Recipe:
        """The recipe with all it names in the bundle, saved there under `name`."""
        recipe = self._frozen(recipe)
        sources = tuple(self._source(source, home) for source in recipe.sources)
        start = self._start(recipe, home)
        distil = replace(recipe.distil, teacher=self._teacher(recipe, home))
        moved = replace(recipe, sources=sources, start=start, distil=distil)
        save_recipe(moved, self._folder / name)
        return moved

    def _frozen(self, recipe: Recipe) -> Recipe:
        if all(source.format != _SOURCE for source in recipe.sources):
            return recipe
        from db.store import open_store
        from trainer.jobs.frozen import place

        with closing(open_store(self._settings.database)) as store:
            return place(recipe, store, self._settings.home)[0]

    def _source(self, source: Source, home: Path) -> Source:
        self.formats.add(source.format)
        files = find_source(source, home, self._settings.data)  # checks the recipe's own hash
        path, *references = (
            self._put(
                find_source(
                    replace(source, path=one, references=(), sha256=""), home, self._settings.data
                ),
                one,
            )
            for one in (source.path, *source.references)
        )
        return replace(
            source,
            path=path,
            references=tuple(references),
            format="flat" if source.format == _SOURCE else source.format,
            sha256=hash_files(files),
        )

    def _put(self, files: list[Path], named: str) -> str:
        """Where the files are in the bundle, relative to it."""
        key = tuple(file.resolve() for file in files)
        if key not in self._known:
            stem = _UNSAFE.sub("-", Path(named).name).strip("-.") or DATA
            folder = f"{DATA}/{len(self._known) + 1}-{stem}"
            for file in files:
                _copy(file, self._folder / folder / file.name)
            self._known[key] = f"{folder}/{files[0].name}" if len(files) == 1 else folder
        return self._known[key]

    def _start(self, recipe: Recipe, home: Path) -> str:
        if not recipe.start:
            return ""
        if recipe.start.endswith(".json"):
            file = (home / recipe.start).resolve()
            if file in self._starts:
                raise RecipeError(f"start = {recipe.start!r}: it waits for itself")
            self._starts.append(file)
            name = f"{_START}-{len(self._starts)}.json"
            self.recipe(load_recipe(file), file.parent, name)
            return name
        found: Path | None = home / recipe.start
        if recipe.start == PRESENT:
            found = readers_folder(self._settings, recipe.pair, recipe.task)
        if found is None or not found.is_dir():
            raise RecipeError(f"start = {recipe.start!r}: there is no such adapter")
        self._adapter(found, _START)
        return _START

    def _teacher(self, recipe: Recipe, home: Path) -> str:
        """The recipe's KD teacher, an adapter, in the bundle."""
        name = recipe.distil.teacher
        if name in ("", BASE):
            return name
        if recipe.distil.is_cut:
            raise BundleError("a student that is a base of its own cannot be taken back")
        found: Path | None = home / name
        if name == PRESENT:
            found = readers_folder(self._settings, recipe.pair, recipe.task)
        if found is None or not (found / WEIGHTS).is_file():
            raise BundleError(f"distil.teacher = {name!r}: only an adapter goes into a bundle")
        self._adapter(found, _TEACHER)
        return _TEACHER

    def _adapter(self, folder: Path, name: str) -> None:
        """Copy an adapter, checked, into the bundle's folder `name`."""
        read_adapter(folder)
        for file in (WEIGHTS, CONFIG, CARD):
            if (folder / file).is_file():
                _copy(folder / file, self._folder / name / file)


def requirements(listed: str, recipe: Recipe, formats: Collection[str]) -> str:
    """What the bundle's code imports, of the project's requirements, and what the recipe needs."""
    more = ["-r trainer/sources/requirements.txt"] if "wordnet" in formats else []
    kept = [line for line in listed.splitlines() if line and not line.startswith(_NOT_NEEDED)]
    return "\n".join([*kept, *more, *filter(None, [recipe.tracker])]) + "\n"


def _copy(place: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.copytree(place, to)
    else:
        shutil.copyfile(place, to)


def _not_code(folder: str, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if (not (Path(folder) / name).is_dir() and not name.endswith((".py", ".txt")))
        or name == "__pycache__"
    ]


RUN = """\
#!/bin/sh
# Runs the recipe in this folder; again after a stop, to go on. PYTHON: another interpreter.
# LAUNCH: what starts it instead of python -m, such as: accelerate launch --multi_gpu -m
set -e
cd "$(dirname "$0")"
base=BASE
export CTX_HOME="${CTX_HOME:-$PWD/home}" CTX_BASE="${CTX_BASE:-$base}"
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
exec ${LAUNCH:-${PYTHON:-python3} -m} trainer fit recipe.json --folder out
"""

README = """\
# {name}: a training run to be run elsewhere

`recipe.json` says what is trained, `data/` holds its rows, the rest is code. The base is installed
with the requirements, or named by `CTX_BASE`. What the run makes is `{out}/adapter` (`{out}/model`
where every parameter is trained). The same command goes on after a stop.

This folder holds the rows it trains on: give it to nobody who may not have them. The embedded base
is Gemma, under the Gemma Terms of Use: `assets/licences/gemma.md`.

    pip install -r requirements.txt

| where | command |
|---|---|
| this machine's CPU, or its one GPU: it takes the GPU where torch finds one | `sh run.sh` |
| a CPU although there is a GPU | `CTX_DEVICE=cpu sh run.sh` |
| several GPUs (not tried) | `LAUNCH="accelerate launch --multi_gpu -m" sh run.sh` |
| several processes on a CPU | `CTX_DEVICE=cpu LAUNCH="accelerate launch --multi_gpu --num_processes 2 -m" sh run.sh` |
| a Hugging Face Job (not tried) | `hf jobs run --flavor a10g-small -v ./:/bundle:rw python:3.12 sh -c "cd /bundle && pip install -r requirements.txt && sh run.sh"` |

A base that one device cannot hold: set `sharded` in `recipe.json`, and each process keeps a part of
every layer (FSDP; tried with two processes on a CPU). One GPU was not tried either. `--multi_gpu` is what accelerate calls several processes of one machine;
which device they take is for `CTX_DEVICE` to say.

When this folder, or a copy of it with `{out}/`, is back where it was made:

    python -m trainer adopt FOLDER
"""  # noqa: E501
