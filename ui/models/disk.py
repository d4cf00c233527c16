"""Adapters on disk and in memory: loaded, given back, brought in, written out, deleted. Every
argument comes from a stranger; all of it is for home only. Knows no gradio, no torch until it is
asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from db.dataset.visible import visible
from db.store.checks import MAX_NOTE, check_choice, check_pair, check_text
from engine.bringing import Told, bring_adapter, fetch_adapter, is_hub_id
from engine.catalogue import Entry, delete_adapter, export_adapter, list_adapters, read_unchanged
from engine.checking import Adapter, AdapterError, BaseShape
from engine.translator import Translator
from ui.desk import Bad, Reply, named, text_of
from ui.files import Files
from ui.models.memory import Memory
from ui.models.part import Desk
from ui.services import Services
from ui.works import Work, Works

CARDLESS = "translation"  # the task of an adapter without a card
STYLES = ("short", "long")  # of prompts: what an adapter without a card may be told to be


class DiskDesk(Desk):
    """A desk that can do something about adapters; it works on threads, as some of it takes a
    while."""

    def __init__(self, services: Services, files: Files):
        super().__init__(services)
        self._memory = Memory(services)
        self._files, self._works = files, Works()
        self._shape: BaseShape | None = None

    async def load(self, asked: Reply) -> Reply:
        """Loads what readers have of a pair, and the base under it, before anybody asks."""
        name = text_of(asked, "name")

        def act(work: Work) -> Reply:
            from trainer.promote import present

            adapter = self._adapter(name)
            now = present(self._settings, adapter.card.pair, adapter.card.task)
            self._memory.load(adapter, adapter.version == now.version)
            return {"loaded": name}

        return await self._begin(act)

    async def unload(self, asked: Reply) -> Reply:
        """Gives an adapter's memory back; the next reader has it loaded again."""
        name = text_of(asked, "name")

        def act(work: Work) -> Reply:
            return {"unloaded": self._memory.unload(self._adapter(name))}

        return await self._begin(act)

    async def export(self, asked: Reply) -> Reply:
        """Writes an adapter as a zip, which the page then fetches."""
        name = text_of(asked, "name")

        def act(work: Work) -> Reply:
            entry = Entry("", self._adapter(name))
            file = f"{entry.pair}-{entry.task}-{entry.version}.zip"

            def write(to: Path) -> Reply:
                export_adapter(entry, to)
                return {}

            return self._files.write(file, write)

        return await self._begin(act)

    async def delete(self, asked: Reply) -> Reply:
        """Deletes an adapter of this home; refused where it ships, or readers were given it."""
        name = text_of(asked, "name")

        def act(work: Work) -> Reply:
            version = self._adapter(name).version
            found, _ = list_adapters(self._settings)
            entry = next((e for e in found if e.version == version and e.origin != "shipped"), None)
            if not name.startswith("kept:") or entry is None:
                raise Bad("adapter_kept")
            _telling(lambda: delete_adapter(self._settings, entry))
            self._memory.forget(version)
            return {"deleted": name}

        return await self._begin(act)

    async def bring(self, asked: Reply) -> Reply:
        """Brings an adapter in: a file that was sent (`path`), or what stands on this machine or on
        the hub (`source`). Where it has no card, the page says what it is for."""
        sent, source = text_of(asked, "path"), text_of(asked, "source")
        called = check_text("name", text_of(asked, "called")[:MAX_NOTE], MAX_NOTE)
        told = _told(asked)

        def act(work: Work) -> Reply:
            if sent:
                file = self._files.find(sent)
                try:
                    return self._bring(file, told, called or file.name)
                finally:
                    file.unlink(missing_ok=True)
            if not source:
                raise Bad("nothing_named")
            return self._bring(
                Path(source).expanduser(), told, check_text("source", source, MAX_NOTE)
            )

        return await self._begin(act)

    def _bring(self, source: Path, told: Told | None, called: str) -> Reply:
        shape, home = self._base_shape, self._settings.home

        def act() -> Entry:
            if not source.exists():
                if is_hub_id(called):
                    return fetch_adapter(called, home, shape, told)
                raise Bad("adapter_gone")
            return bring_adapter(source, home, shape, told, called)

        entry = _telling(act)
        return {
            "brought": {
                "name": f"kept:{entry.version}",
                "title": visible(entry.name),
                "version": entry.version,
                "pair": entry.pair,
                "task": entry.task,
            }
        }

    async def work(self, asked: Reply) -> Reply:
        """How far something is that was begun here, or what came of it."""
        self._access.check_write()
        return self._works.ask(text_of(asked, "work"))

    async def _begin(self, act: Any) -> Reply:
        self._access.check_write()
        return await self._works.start(lambda work: named(lambda: act(work), telling=False))

    def _base_shape(self) -> BaseShape:
        from engine.adapters import base_shape
        from engine.models import BaseError

        if self._shape is None:
            try:
                self._shape = base_shape(self._settings)
            except BaseError as error:
                raise Bad("adapter_no_base", detail=str(error)[:300]) from error
        return self._shape

    def _adapter(self, name: str) -> Adapter | Translator:
        from trainer.catalogue import find_model

        folder = find_model(name, self._store, self._settings).folder
        if folder is None:
            raise Bad("adapter_none")
        return read_unchanged(folder)


def _told(asked: Reply) -> Told | None:
    """What the page says of an adapter without a card; None where it says nothing."""
    pair = text_of(asked, "pair")
    if not pair:
        return None
    return Told(check_pair(pair), CARDLESS, check_choice("style", text_of(asked, "style"), STYLES))


def _telling(act: Any) -> Any:
    """What `act` gives; why an adapter is refused, as a code with what it says."""
    try:
        return act()
    except AdapterError as error:
        raise Bad(f"adapter_{error.reason}", detail=visible(str(error))[:300]) from error
