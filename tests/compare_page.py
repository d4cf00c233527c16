"""A page of the Compare tab over a store of its own and a workbench without models, and what it may
be asked about.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from db.dataset.importing import bring
from db.store import Origin, Store, open_store
from engine.bringing import bring_adapter
from engine.settings import Settings
from tests.fake_translations import SHAPE
from tests.fake_workbench import FakeWorkbench
from tests.made_adapters import make_adapter
from trainer.jobs import kinds
from trainer.jobs.kinds import Kind, Prepared
from trainer.jobs.queue import Jobs
from ui.access import Access
from ui.compare.board import BoardDesk
from ui.compare.evaluations import Evaluations
from ui.compare.side import SideDesk
from ui.compare.split import SplitDesk
from ui.compare.vote import VoteDesk
from ui.services import Services

BOTH = {"left": "base", "right": "shipped"}
CALL = "She meant to call them back."


class Page:
    """A page over a store of its own and a workbench without models; jobs are never started."""

    def __init__(self, store: Store, home: Path, hosted: bool = False):
        self.store, self.home, self.bench = store, home, FakeWorkbench()
        self.jobs = Jobs(store, home)
        self.jobs.look = lambda: None  # type: ignore[method-assign]
        services = Services(Settings(home=home), None, store, Access(hosted), self.jobs, self.bench)  # type: ignore[arg-type]
        evaluations = Evaluations(self.jobs)
        self.desks = {
            "side": SideDesk(services),
            "split": SplitDesk(services, evaluations),
            "vote": VoteDesk(services, evaluations),
            "board": BoardDesk(services, evaluations),
        }
        self.served = {
            f"{name}.{one}": method
            for name, desk in self.desks.items()
            for one, method in desk.served().items()
        }

    def ask(self, name: str, **asked: object) -> dict:
        return self.ask_raw(name, asked)

    def ask_raw(self, name: str, asked: object) -> dict:
        async def run() -> dict:
            reply = await self.served[name](asked)
            while "work" in reply:
                await asyncio.sleep(0.02)
                reply = await self.served[f"{name.split('.')[0]}.work"]({"work": reply["work"]})
            return reply

        return json.loads(json.dumps(asyncio.run(run())))


@contextmanager
def opened(home: Path) -> Iterator[Page]:
    """The page of a home."""
    kind = Kind(dict, lambda recipe: Prepared(recipe, "compute"), lambda work: True)
    real = kinds.import_module

    def known(name: str) -> object:
        return SimpleNamespace(KIND=kind) if name == "trainer.jobs.evaluate" else real(name)

    with pytest.MonkeyPatch.context() as patch, open_store(home / "ctx.db") as store:
        patch.setitem(kinds.MODULES, "evaluate", "trainer.jobs.evaluate")
        patch.setattr(kinds, "import_module", known)
        yield Page(store, home)


def french(page: Page, tmp_path: Path) -> str:
    """A translation adapter in the home, and sentences that came with translations."""
    folder = make_adapter(tmp_path / "made", SHAPE, pair="en-fr")
    file = tmp_path / "pairs.tsv"
    file.write_text("Dogs chase cats.\tLes chiens chassent.\nIt was.\tC’était.\n")
    bring(page.store, file, Origin("pairs", "", "en-fr"))
    return f"kept:{bring_adapter(folder, page.home, SHAPE).version}"
