"""The From nothing view: a corpus, a tokenizer, a pre-training or a fine-tuning, each a run of its
own that the next one can go on from. Every argument comes from a stranger; no path comes from a
page.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from db.store import Job, Refused
from db.store.checks import MAX_NAME, check_text
from engine.settings import assets
from ui.desk import Bad, Reply, Served, guarded, text_of
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS
from ui.train.forms import plain, read_corpus, read_scratch, to_fields, to_sizes
from ui.train.kinds import (
    CORPUS,
    FINETUNE,
    FROM_NOTHING,
    PRETRAIN,
    SCRATCH,
    TOKENIZER,
    corpus_report,
    kind_of,
    recipe_of,
    result_folder,
)
from ui.train.part import Desk
from ui.train.recipes import RUN, list_runs
from ui.train.shape import to_run

_SCRIPTS = (
    "language", "part", "pair", "work", "train/part", "train/new/fields", "train/scratch/choices",
    "train/scratch/start",
)  # fmt: skip
_SET, _RECIPE, _RANDOM = "dataset:", "recipe:", "random"
_MOST = 20  # sources of a corpus


def build_scratch(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    gr.HTML(
        html_template=read_page("train/scratch"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="train-scratch",
        elem_classes="ctx-view",
        server_functions=list(ScratchDesk(services).served().values()),
        strings=STRINGS,
        limits={"hosted": services.access.hosted, "text": MAX_NAME},
    )


class ScratchDesk(Desk):
    """One method for each thing the From nothing view's page may ask."""

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (self.form, self.choices, self.begin)
        return {method.__name__: guarded(method) for method in methods}

    async def form(self, asked: Reply) -> Reply:
        """The fields of each kind's recipe, and the sizes of a model."""
        return await self._run(lambda: {"fields": to_fields(), "sizes": to_sizes()})

    async def choices(self, asked: Reply) -> Reply:
        """What a corpus can be made of, and what the other kinds can take: by languages."""
        pair = work_pair(asked)
        return await self._run(lambda: self._choices(pair))

    def _choices(self, pair: str) -> Reply:
        from trainer.scratch.corpus.finding import find_sources

        source, _, target = pair.partition("-")
        runs = [job for job in list_runs(self._jobs) if job.state == "done"]
        sets = [one for one in self._store.sentence_sets.list_sets() if one.pair == pair]
        frozen = [
            {"names": [f"{_SET}{one.name}"], "rows": one.rows, "synthetic": one.synthetic}
            for one in sets
        ]
        files = {
            languages: [
                {"names": list(one.sources), "bytes": one.bytes}
                for one in find_sources(self._settings.data, languages.split("-"))
            ]
            for languages in (pair, source, target)
        }
        return {
            "sources": {**files, pair: [*frozen, *files[pair]]},
            "data": [*self._corpora(runs, pair), *self._frozen(sets), *self._recipes(pair)],
            "texts": [*self._corpora(runs, source), *self._corpora(runs, target)],
            "tokenizers": [self._told(one) for one in runs if _fits(one, TOKENIZER, pair)],
            "starts": [self._told(one) for one in runs if _fits(one, PRETRAIN, pair)],
        }

    def _corpora(self, runs: list[Job], languages: str) -> list[Reply]:
        """Corpora in these languages that runs made, with their rows."""
        found = []
        for job in runs:
            if job.kind == CORPUS and recipe_of(job).get("languages") == languages:
                files = corpus_report(self._jobs.folder(job.id)).get("files", ())
                counts = {one["file"].split(".")[0]: one["rows"] for one in files}
                found.append({**self._told(job), "languages": languages, "splits": counts})
        return found

    def _frozen(self, sets: list[Any]) -> list[Reply]:
        return [
            {"name": f"{_SET}{one.name}", "title": one.name, "splits": dict(one.splits)}
            for one in sets
        ]

    def _recipes(self, pair: str) -> list[Reply]:
        """Recipes that ship whose data is found here."""
        return [
            {"name": f"{_RECIPE}{name}", "title": name, "values": _unfolded(plain(recipe))}
            for name, recipe in _shipped().items()
            if recipe.pair == pair and self._has_data(recipe)
        ]

    def _has_data(self, recipe: Any) -> bool:
        files = (*recipe.train, *recipe.dev)
        folder = self._settings.data
        return folder is not None and all((folder / one).is_file() for one in files)

    def _told(self, job: Job) -> Reply:
        return {"name": f"{RUN}{job.id}", "id": job.id, "title": to_run(job)["name"]}

    async def begin(self, asked: Reply) -> Reply:
        """A new job, started at once where nothing else computes."""
        who, kind = text_of(asked, "who"), text_of(asked, "kind")
        if kind not in FROM_NOTHING:
            raise Bad("not_understood")

        def act() -> Reply:
            if kind == CORPUS:
                job = self._jobs.add(CORPUS, plain(self._corpus(asked)), who)
            else:
                job = self._jobs.add(SCRATCH, self._step(kind, asked), who)
            return {"run": to_run(job)}

        return await self._run(act)

    def _corpus(self, asked: Reply) -> Any:
        """The corpus that is asked for, from sources that are there."""
        from trainer.scratch.corpus.recipe import HUB, is_hub_name

        pair, languages = work_pair(asked), text_of(asked, "languages")
        known = self._choices(pair)["sources"]
        if languages not in known:
            raise Bad("not_understood")
        offered = {tuple(one["names"]): one for one in known[languages]}
        wanted = asked.get("sources")
        if not isinstance(wanted, list) or len(wanted) > _MOST:
            raise Bad("not_understood")
        sources: list[str] = []
        for one in wanted:
            if not isinstance(one, list) or tuple(one) not in offered:
                raise Bad("no_source")
            sources += one
        if hub := check_text("hub", text_of(asked, "hub"), MAX_NAME).removeprefix(HUB):
            if not is_hub_name(hub):
                raise Bad("no_hub_name")
            sources.append(HUB + hub)
        if not sources:
            raise Bad("no_source")
        told = {"languages": languages, "sources": sources}
        return read_corpus(told, asked.get("values"))

    def _step(self, kind: str, asked: Reply) -> Reply:
        """The recipe of a job of kind `scratch`."""
        pair, start = work_pair(asked), text_of(asked, "start") or _RANDOM
        told: Reply = {"pair": pair, **self._data(text_of(asked, "data"), pair)}
        if texts := asked.get("texts"):
            told["texts"] = self._texts(texts, told, pair)
        job: Reply = {"phase": kind, "start": _RANDOM, "tokenizer": ""}
        if kind == FINETUNE and start != _RANDOM:
            begun = self._done(start, PRETRAIN, pair)
            told["model"] = dict(recipe_of(begun)["model"])
            job["start"] = str(result_folder(begun, self._jobs.folder(begun.id)) / "model")
        elif named := text_of(asked, "tokenizer"):
            made = self._done(named, TOKENIZER, pair)
            told["model.vocabulary"] = recipe_of(made)["model"]["vocabulary"]
            job["tokenizer"] = str(self._jobs.folder(made.id))
        values = asked.get("values")
        if "model" in told and isinstance(values, dict):
            values = {name: v for name, v in values.items() if not name.startswith("model.")}
        return {**job, "recipe": plain(read_scratch(kind, told, values))}

    def _data(self, name: str, pair: str) -> Reply:
        """The recipe's fields of the chosen pairs: a corpus of a run, a frozen set, or the files of
        a recipe that ships."""
        if name.startswith(_SET):
            named = name.removeprefix(_SET)
            if not any(
                (one.name, one.pair) == (named, pair)
                for one in self._store.sentence_sets.list_sets()
            ):
                raise Bad("no_dataset")
            return {"dataset": named}
        if name.startswith(_RECIPE):
            recipe = _shipped().get(name.removeprefix(_RECIPE))
            if recipe is None or not self._has_data(recipe):
                raise Bad("no_dataset")
            kept = ("train", "dev", "test", "origin", "licence")
            return {key: value for key, value in plain(recipe).items() if key in kept}
        if not name.startswith(RUN):
            raise Bad("no_dataset")
        job = self._done(name, CORPUS, pair)
        rows = {one["file"]: one["rows"] for one in self._files(job)}
        splits = {
            split: [f"{split}.{code}.txt" for code in pair.split("-")]
            for split in ("train", "dev", "test")
        }
        found = {s: names for s, names in splits.items() if all(rows.get(n) for n in names)}
        if not {"train", "dev"} <= set(found):
            raise Bad("nothing_held_out")
        folder, recipe = self._jobs.folder(job.id) / CORPUS, recipe_of(job)
        return {s: [str(folder / n) for n in names] for s, names in found.items()} | {
            key: str(recipe.get(key, "")) for key in ("origin", "licence")
        }

    def _texts(self, names: object, told: Reply, pair: str) -> list[str]:
        """Texts to pre-train on: both sides of the pairs, and the corpora that are chosen."""
        if not isinstance(names, list) or len(names) > _MOST:
            raise Bad("not_understood")
        if "train" not in told:
            raise Bad("texts_of_files")
        texts = [f"{code}:{file}" for code, file in zip(pair.split("-"), told["train"])]
        for name in names:
            for code in pair.split("-"):
                job = self._done(str(name), CORPUS, code, missing=None)
                if job is not None:
                    file = self._jobs.folder(job.id) / CORPUS / f"train.{code}.txt"
                    texts.append(f"{code}:{file}")
        return texts

    def _files(self, job: Job) -> list[Mapping[str, Any]]:
        return list(corpus_report(self._jobs.folder(job.id)).get("files", ()))

    def _done(self, name: str, kind: str, languages: str, missing: Any = Bad) -> Any:
        """The finished run of this name, kind and languages; Bad where there is none."""
        number = name.removeprefix(RUN)
        if name.startswith(RUN) and number.isascii() and number.isdecimal() and len(number) < 16:
            try:
                job = self._jobs.get(int(number))
            except Refused:
                job = None
            if job is not None and job.state == "done" and _fits(job, kind, languages):
                return job
        if missing is None:
            return None
        raise Bad("no_such_run")


def _fits(job: Job, kind: str, languages: str) -> bool:
    told = recipe_of(job).get("languages" if kind == CORPUS else "pair")
    return kind_of(job) == kind and told == languages


def _shipped() -> dict[str, Any]:
    """The recipes of models from nothing that ship, by name; those that cannot be read are left
    out."""
    from trainer.fields import RecipeError
    from trainer.scratch.recipe import load_scratch

    found = {}
    for file in sorted((assets() / "recipes" / "scratch").glob("*.json")):
        try:
            found[file.stem] = load_scratch(Path(file))
        except RecipeError:
            continue
    return found


def _unfolded(recipe: Mapping[str, Any]) -> Reply:
    """A recipe's values under the names of the form's fields."""
    flat: Reply = {}
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
        elif isinstance(value, str | int | float):
            flat[name] = value
    return flat
