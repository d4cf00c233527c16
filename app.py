"""CTX-Translator: click a word, learn what it means here. Wires everything together and serves it.

Run `python app.py [--version]`. It ends with 2 where a setting, the port or CTX_HOME is no good.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import partial

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported

from db.store import StoreError
from engine.settings import VERSION, Settings, SettingsError, read_settings


def load(settings: Settings, progress):
    """The engine. Imports torch only here, on the lookup's thread: the page is open by then."""
    from engine.engine import load_engine

    return load_engine(settings, progress)


def run(settings: Settings) -> None:
    """Opens the store, serves, loads the model meanwhile; StoreError where CTX_HOME is no good."""
    from db.dataset.shipped import bring_in_quiet
    from db.store import lock_home, open_store
    from engine.beside import PairEngines
    from engine.lookup import Lookup
    from engine.present import Watch
    from engine.translations import Translations
    from engine.workbench import Workbench
    from trainer.jobs.queue import Jobs
    from trainer.mending import mend
    from ui.access import Access
    from ui.port import check_port
    from ui.services import Services

    check_port(settings)
    with lock_home(settings.home), open_store(settings.database) as store:
        store.answers.forget_older(settings.keep_days)
        mend(store, settings.home)
        begin, access, bench = partial(load, settings), Access.of(settings), Workbench(settings)
        lookup = Lookup(begin, store.answers if settings.keep_days else None, store.labels)
        jobs, translations = Jobs(store, settings.home), Translations(settings, lookup)
        lookup.also(PairEngines(settings, translations.opened))
        watch = Watch(lambda: settings.adapter_folder, lambda: lookup.switch(begin))
        lookup.start()
        try:
            from ui.page import serve  # gradio, while the model loads
            from ui.tabs import build_app

            app = build_app(Services(settings, lookup, store, access, jobs, bench, translations))
            serve(app, settings)
            if not settings.hosted:
                bring_in_quiet(store, lambda: lookup.status().state in ("ready", "failed"))
            app.block_thread()
        finally:
            for one in (watch, lookup, translations, bench):
                one.close()


def main(arguments: list[str]) -> int:
    if "--version" in arguments:
        print(f"CTX-Translator {VERSION}")
        return 0
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("engine").setLevel(logging.INFO)
    try:
        run(read_settings())
    except (SettingsError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
