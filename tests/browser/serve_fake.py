"""Serves the app with a fake lookup: python tests/browser/serve_fake.py --port 7999

--mode is ready, small (a smaller form answers), slow (three seconds an answer), held (answers come
when it is told to finish), loading (until told), failed or failing.
For tests it tells "serving" once it listens, then JSON for each line it hears: "state" says what
was asked, looked ahead, forgotten and stored; "finish" ends the loading first, "answer de-en" gives
that pair's words answers, "write 3" lets three words of held translations go. It ends when there is
nothing more to hear.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
sys.path.insert(0, str(Path(__file__).parents[2]))

from db.store import open_store
from engine.present import Watch
from engine.settings import read_settings
from tests.fake_engine import FakeLookup
from tests.fake_translations import SHAPE, FakeTranslations
from tests.fake_workbench import FakeWorkbench
from tests.held_work import Hold
from trainer.jobs.queue import Jobs
from trainer.mending import mend
from ui.access import Access
from ui.models.disk import DiskDesk
from ui.page import serve
from ui.services import Services
from ui.tabs import build_app


def serve_to(pipe: Connection, options: list[str]) -> None:
    """Hears and tells by a pipe: for tests, which start it in a process that has all imported."""
    run(options, _heard(pipe), pipe.send)


def _heard(pipe: Connection) -> Iterator[str]:
    try:
        while True:
            yield pipe.recv()
    except EOFError:
        return


def run(options: list[str], heard: Iterable[str], tell: Callable[[str], None]) -> None:
    """Serves until there is nothing more to hear."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mode", default="ready")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--held", action="store_true", help="translations wait until told")
    parser.add_argument("--hosted", action="store_true")
    parser.add_argument("--home", type=Path, help="a folder whose database is used")
    parser.add_argument("--hold", type=Path, help="trainings wait as this folder says")
    parser.add_argument("--data", help="the folder of texts, as CTX_DATA names it")
    arguments = parser.parse_args(options)
    if arguments.hold:
        os.environ |= Hold(arguments.hold).everywhere()
    DiskDesk._base_shape = lambda desk: SHAPE  # what is brought in has to fit it; no base is read
    lookup = FakeLookup(arguments.mode, 3.0 if arguments.mode == "slow" else arguments.delay)
    with tempfile.TemporaryDirectory() as own, open_store(_database(arguments, own)) as store:
        home = str(store.path.parent)
        told = {"CTX_HOME": home, "CTX_PORT": str(arguments.port), "CTX_DATA": arguments.data}
        settings = read_settings({name: text for name, text in told.items() if text})
        settings = replace(settings, hosted=arguments.hosted)
        jobs = Jobs(store, settings.home)
        mend(store, settings.home)
        watch = Watch(
            lambda: settings.adapter_folder, lambda: lookup.switch(settings.adapter_folder)
        )
        workbench = FakeWorkbench(arguments.delay)
        translations = FakeTranslations(0.02, arguments.held)
        services = Services(
            settings, lookup, store, Access.of(settings), jobs, workbench, translations
        )  # type: ignore[arg-type]
        app = build_app(services)
        serve(app, settings)
        tell("serving")
        for line in heard:
            command, _, rest = line.strip().partition(" ")
            if command == "finish":
                lookup.finish()
            if command == "answer":
                lookup.add_pair(rest)
            if command == "write":
                translations.free += int(rest)
            tell(json.dumps(_state(lookup, translations, store)))
        watch.close()
        app.close(verbose=False)


def _database(arguments: argparse.Namespace, own: str) -> Path:
    return (arguments.home or Path(own)) / "ctx.db"


def _state(lookup: FakeLookup, translations: FakeTranslations, store) -> dict:
    return {
        "translated": translations.asked,
        "ended": translations.ended,
        "asked": lookup.asked,
        "ahead": list(lookup.ahead.values()),
        "left": lookup.left,
        "forgotten": sorted(lookup.forgotten),
        "feedback": [
            {
                "context": found.query.context,
                "position": found.query.position,
                "pair": found.query.pair,
                "shown": found.shown.sense.meaning if found.shown else None,
                "meaning": found.better_meaning,
                "members": list(found.phrase.members) if found.phrase else None,
                "phraseMeaning": found.phrase.meaning if found.phrase else "",
                "note": found.note,
            }
            for found in store.feedback.list_feedback()
        ],
    }


if __name__ == "__main__":
    run(sys.argv[1:], sys.stdin, partial(print, flush=True))
