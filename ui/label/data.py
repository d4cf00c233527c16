"""Datasets: what there is, counted; freezing, exporting, backing up. Every argument comes from a
stranger. The desk knows no gradio; `build_data` puts its page part in place.

What is written for a page to fetch stands in gradio's cache, in a folder with a name nobody can
guess and under a name of our own; gradio deletes it after an hour.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from db.dataset.agreement import measure
from db.dataset.exporting import export_dataset, export_sentences
from db.dataset.folder import zip_folder
from db.dataset.hub import has_token, push
from db.dataset.running import Settling
from db.dataset.visible import visible
from db.store import Dataset, InvalidRows, StoreError
from db.store.checks import MAX_NAME, MAX_NOTE
from engine.sense import CLASSES
from ui.desk import Bad, Reply, Served, guarded, number_of, text_of
from ui.files import Files
from ui.label.filters import people_of, read_filter
from ui.label.sets import (
    to_agreement,
    to_dataset,
    to_invalid,
    to_sentence_set,
    to_statistics,
)
from ui.label.shape import preparing
from ui.page import read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS
from ui.works import Work, Works

TRANSLATION = "translation"
ENDINGS = {
    "flat": ".jsonl", "wire": "-wire.jsonl", "csv": ".csv", "parquet": ".parquet",
    "hf": "-hf.zip",
}  # fmt: skip
_SCRIPTS = (
    "language", "part", "pair", "files", "label/part", "label/filter", "label/data/plots",
    "label/data/work", "label/data/list", "label/data/freeze", "label/data/start",
)  # fmt: skip

log = logging.getLogger(__name__)


def build_data(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    desk = DataDesk(services, Path(get_upload_folder()), lambda file: part.temp_files.add(file))
    part = gr.HTML(
        html_template=read_page("label/data"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="label-data",
        elem_classes="ctx-view",
        server_functions=list(desk.served().values()),
        strings=STRINGS,
        classes=list(CLASSES),
        limits={
            "hosted": services.access.hosted,
            "push": has_token(),
            "forms": list(ENDINGS),
            "name": MAX_NAME,
            "about": MAX_NOTE,
        },
    )


class DataDesk:
    """One method for each thing the Datasets view's page may ask. `folder` is where gradio serves
    files from; `written` hears of each file there, to have it deleted in time."""

    def __init__(self, services: Services, folder: Path, written: Callable[[str], None]):
        self._access = services.access
        self._store = services.store
        self._files = Files(folder, written)
        self._works = Works()
        self._settling = Settling(services.store)

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.statistics, self.agreement, self.datasets, self.count, self.freeze, self.export,
            self.push, self.backup, self.work, self.people,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def statistics(self, asked: Reply) -> Reply:
        """What there is, counted."""
        self._access.check_write()  # other people's names stand here
        pair = work_pair(asked)

        def run() -> Reply:
            far = self._settling.look()
            return preparing(far) if far else to_statistics(self._store, pair)

        return await asyncio.to_thread(run)

    async def agreement(self, asked: Reply) -> Reply:
        """How far people agree, by field."""
        self._access.check_write()
        found = await asyncio.to_thread(measure, self._store, work_pair(asked))
        return {"fields": [to_agreement(one) for one in found]}

    async def datasets(self, asked: Reply) -> Reply:
        """The frozen datasets, the newest first."""
        self._access.check_write()

        def look() -> Reply:
            words, sentences = self._store.datasets, self._store.sentence_sets
            found = [to_dataset(one) for one in words.list_datasets()]
            found += [to_sentence_set(one) for one in sentences.list_sets()]
            return {"datasets": sorted(found, key=lambda one: one["when"], reverse=True)}

        return await asyncio.to_thread(look)

    async def count(self, asked: Reply) -> Reply:
        """How many answers a filter chooses to freeze."""
        self._access.check_write()
        if asked.get("task") == TRANSLATION:
            return await asyncio.to_thread(self._count_sentences, asked)
        chosen, accepted = read_filter(asked.get("filter")), asked.get("proposals") is not True
        counted = self._store.datasets.count
        return {"count": await asyncio.to_thread(counted, work_pair(asked), accepted, chosen)}

    async def freeze(self, asked: Reply) -> Reply:
        """Freezes what the filter chooses, or says which rows break the rules."""
        self._access.check_write()
        name, about, who = (text_of(asked, key) for key in ("name", "about", "who"))
        chosen, accepted = read_filter(asked.get("filter")), asked.get("proposals") is not True
        leave_out, pair = asked.get("without") is True, work_pair(asked)
        teacher = text_of(asked, "teacher")

        def act(work: Work) -> Reply:
            if asked.get("task") == TRANSLATION:
                sentences = self._store.sentence_sets.freeze(name, pair, teacher, about, who)
                return {"dataset": to_sentence_set(sentences)}
            try:
                made = self._store.datasets.freeze(
                    name, pair, accepted, about, who, chosen, leave_out
                )
            except InvalidRows as error:
                return to_invalid(error)
            return {"dataset": to_dataset(made)}

        return await self._works.start(act)

    def _count_sentences(self, asked: Reply) -> Reply:
        """How many sentences there are to freeze, and which teachers translated others."""
        pair = work_pair(asked)
        found = self._store.sentence_sets.count(pair, text_of(asked, "teacher"))
        return {
            "count": sum(found.values()),
            "teachers": list(map(visible, self._store.synthetic.teachers(pair))),
        }

    async def export(self, asked: Reply) -> Reply:
        """Writes a dataset to a file, which the page then fetches."""
        self._access.check_write()
        form = text_of(asked, "form")
        if form not in ENDINGS:
            raise Bad("not_understood")
        if asked.get("task") == TRANSLATION:
            return await self._export_sentences(number_of(asked, "id"))
        dataset = await asyncio.to_thread(self._find, number_of(asked, "id"))

        def write(work: Work, file: Path) -> Reply:
            out = file.with_suffix("") if form == "hf" else file
            told = export_dataset(self._store, out, form, dataset.name, work.tick)
            if form == "hf":
                zip_folder(out, file)
                shutil.rmtree(out)
            return {"told": told}

        name = f"dataset-{dataset.id}{ENDINGS[form]}"
        act = partial(self._write, name, write)
        return await self._works.start(act, dataset.rows)

    async def _export_sentences(self, set_id: int) -> Reply:
        sets = await asyncio.to_thread(self._store.sentence_sets.list_sets)
        found = next((one for one in sets if one.id == set_id), None)
        if found is None:
            raise Bad("unknown_value")

        def write(work: Work, file: Path) -> Reply:
            return {"told": export_sentences(self._store, file, found.name)}

        act = partial(self._write, f"sentences-{found.id}.jsonl", write)
        return await self._works.start(act, found.rows)

    async def push(self, asked: Reply) -> Reply:
        """Puts a dataset on the hub, where this app has a token for it."""
        self._access.check_write()
        repo = text_of(asked, "repo")
        dataset = await asyncio.to_thread(self._find, number_of(asked, "id"))

        def act(work: Work) -> Reply:
            try:
                return {"address": push(self._store, dataset.name, repo)}
            except StoreError:
                raise
            except Exception as error:  # whatever a network and a hub can do
                log.warning("push to %s failed: %s", repo, type(error).__name__)
                raise Bad("push_failed") from error

        return await self._works.start(act)

    async def backup(self, asked: Reply) -> Reply:
        """Writes a checked copy of the database, which the page then fetches."""
        self._access.check_write()

        def write(work: Work, file: Path) -> Reply:
            self._store.backup(file)
            return {}

        return await self._works.start(partial(self._write, "ctx-backup.db", write))

    async def work(self, asked: Reply) -> Reply:
        """How far something is that was begun here, or what came of it."""
        self._access.check_write()
        return self._works.ask(text_of(asked, "work"))

    async def people(self, asked: Reply) -> Reply:
        """Who can be chosen as the one who decided."""
        self._access.check_write()
        return await people_of(self._store, work_pair(asked))

    def _find(self, dataset_id: int) -> Dataset:
        for dataset in self._store.datasets.list_datasets():
            if dataset.id == dataset_id:
                return dataset
        raise Bad("unknown_value")

    def _write(self, name: str, write: Callable[[Work, Path], Reply], work: Work) -> Reply:
        return self._files.write(name, lambda file: write(work, file))
