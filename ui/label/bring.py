"""Bringing text in: a file is looked at, brought in, taken back. Every argument comes from a
stranger. The desk knows no gradio; `build_bring` puts its page part in place.

The page uploads a file by gradio's own route, which streams it to a folder; the path that the page
then names is believed only inside that folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from db.dataset.importing import MOST_WORDS
from db.dataset.opening import ENCODINGS, Unreadable
from db.dataset.running import Busy, Carrier, Look, Looks
from db.store import Brought, Origin
from db.store.checks import MAX_NAME
from db.store.imports import MAX_ORIGIN
from ui.desk import Bad, Reply, Served, guarded, number_of, text_of
from ui.files import Files
from ui.label.brought import to_import, to_lines, to_look, to_run
from ui.page import largest_upload, read_page, read_script
from ui.pairs import work_pair
from ui.services import Services
from ui.strings import STRINGS

LIMIT = 40  # the most words per sentence that a person can choose
_LINES = 50  # refused lines of a page
_PATIENCE = 0.8  # seconds a first answer waits for a small file's preview
_SCRIPTS = (
    "language", "part", "pair", "files", "label/part", "label/bring/text", "label/bring/preview",
    "label/bring/run", "label/bring/list", "label/bring/start",
)  # fmt: skip


def build_bring(services: Services) -> None:
    """The view, inside the Blocks at hand."""
    desk = BringDesk(services, Path(get_upload_folder()))
    gr.HTML(
        html_template=read_page("label/bring"),
        js_on_load=read_script(*_SCRIPTS),
        apply_default_css=False,
        elem_id="label-bring",
        elem_classes="ctx-view",
        server_functions=list(desk.served().values()),
        strings=STRINGS,
        limits={
            "hosted": services.access.hosted,
            "upload": largest_upload(services.settings),
            "words": MOST_WORDS,
            "mostWords": LIMIT,
            "name": MAX_NAME,
            "origin": MAX_ORIGIN,
            "encodings": list(ENCODINGS),
        },
    )


class BringDesk:
    """One method for each thing the Import view's page may ask. `uploads` is the folder of files
    that pages have sent."""

    def __init__(self, services: Services, uploads: Path):
        self._access = services.access
        self._imports = services.store.imports
        self._review = services.store.review
        self._files = Files(uploads, lambda file: None)
        self._looks = Looks()
        self._carrier = Carrier(services.store)

    def served(self) -> dict[str, Served]:
        """What pages may call, by name: each takes hostile JSON and never raises."""
        methods = (
            self.look, self.looked, self.bring, self.progress, self.halt, self.imports,
            self.take_back, self.refused, self.against, self.similar,
        )  # fmt: skip
        return {method.__name__: guarded(method) for method in methods}

    async def look(self, asked: Reply) -> Reply:
        """Begins a preview of an uploaded file; a small one is there at once. With `look` it is
        that one's file again, in an encoding that the person chose."""
        self._access.check_write()
        encoding = text_of(asked, "encoding")
        if encoding and encoding not in ENCODINGS:
            raise Bad("not_understood")
        if asked.get("look"):
            file = self._look(asked).file
        else:
            file = await asyncio.to_thread(self._files.find, text_of(asked, "path"))
        try:
            look = self._looks.begin(file, work_pair(asked), encoding)
        except Busy as error:
            raise Bad(error.code) from error
        await asyncio.to_thread(look.ended.wait, _PATIENCE)
        return to_look(look)

    async def looked(self, asked: Reply) -> Reply:
        """How far a preview is; with `stop` it ends with what it has."""
        self._access.check_write()
        look = self._look(asked)
        if asked.get("stop") is True:
            look.stopped = True
            await asyncio.to_thread(look.ended.wait, _PATIENCE)
        return to_look(look)

    async def bring(self, asked: Reply) -> Reply:
        """Begins the import of a file that was looked at."""
        self._access.check_write()
        look = self._look(asked)
        if look.preview is None:
            raise Bad("not_understood")
        words = number_of(asked, "words")
        if not 1 <= words <= LIMIT:
            raise Bad("not_understood")
        people = asked.get("people") is True
        answers = text_of(asked, "answers")
        if look.preview.rows and not answers:
            raise Bad("no_answerer")
        origin = Origin(
            text_of(asked, "name")[:MAX_NAME] or look.file.name[:MAX_NAME],
            "",
            look.pair,
            text_of(asked, "origin"),
            answers if look.preview.rows else text_of(asked, "who"),
            *(("person", "accepted") if people else ("teacher", "proposed")),
        )
        total = look.preview.lines if look.preview.whole else look.total
        try:
            run = await asyncio.to_thread(
                self._carrier.start, look.file, origin, words, total, look.encoding
            )
        except (Busy, Unreadable) as error:
            raise Bad(error.code) from error
        except FileNotFoundError:
            raise Bad("file_gone") from None
        return {"run": to_run(run)}

    async def progress(self, asked: Reply) -> Reply:
        """How far the import at work is, or how the last one ended."""
        self._access.check_write()
        run = self._carrier.run
        return {"run": to_run(run) if run else None}

    async def halt(self, asked: Reply) -> Reply:
        """Stops the import at work after its next batch; what is stored stays."""
        self._access.check_write()
        run, number = self._carrier.run, number_of(asked, "number")
        if run is None or run.number != number:
            raise Bad("unknown_value")
        run.stop = True
        return {"run": to_run(run)}

    async def imports(self, asked: Reply) -> Reply:
        """All imports, the newest first."""
        self._access.check_write()
        found = await asyncio.to_thread(self._imports.list_imports)
        return {"imports": [to_import(one, self._running()) for one in found]}

    async def take_back(self, asked: Reply) -> Reply:
        """Takes an import back: what it alone brought counts no more."""
        self._access.check_write()
        number = number_of(asked, "number")
        if number == self._running():
            raise Bad("import_running")

        def run() -> None:
            self._imports.undo(number)
            self._review.work_off()

        await asyncio.to_thread(run)
        return {"number": number}

    async def refused(self, asked: Reply) -> Reply:
        """A page of an import's refused lines, behind a line and a part of it."""
        return await self._page(asked, self._imports.refused)

    async def against(self, asked: Reply) -> Reply:
        """A page of an import's rows that were kept though they break rules, likewise."""
        return await self._page(asked, self._imports.against)

    async def _page(self, asked: Reply, read: Callable[..., Sequence[Brought]]) -> Reply:
        self._access.check_write()
        number, after, part = (number_of(asked, name) for name in ("number", "after", "part"))
        found = await asyncio.to_thread(read, number, after, _LINES + 1, part)
        return {"lines": to_lines(found[:_LINES]), "more": len(found) > _LINES}

    async def similar(self, asked: Reply) -> Reply:
        """Groups of sentences that differ in case and marks only."""
        self._access.check_write()
        groups = await asyncio.to_thread(self._imports.similar, work_pair(asked), _LINES + 1)
        return {
            "groups": [list(group) for group in groups[:_LINES]],
            "more": len(groups) > _LINES,
        }

    def _running(self) -> int | None:
        run = self._carrier.run
        return run.number if run and not run.over else None

    def _look(self, asked: Reply) -> Look:
        look = self._looks.find(text_of(asked, "look"))
        if look is None:
            raise Bad("file_gone")
        return look
