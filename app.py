"""CTX-Translator: click a word, learn what it means here. Wires everything together and serves it.

    python app.py [--version]

Settings come from the environment (`engine.settings`). Ends with 2 where the port or CTX_HOME is
taken or a setting does not fit.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from functools import partial

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio is imported

from engine.settings import VERSION, Settings, SettingsError, read_settings


def build_app(services):
    """All screens over these services, as a gradio app that is not served yet."""
    import gradio as gr

    from ui.masthead import build_masthead
    from ui.read import build_read

    title = "CTX-Translator"
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        build_masthead()
        build_read(services)
        # Here: the other tabs, and the named endpoints (`ui.api.build_api(services)`).
    return app.queue(max_size=64)


def serve(app, settings: Settings, wait: bool = True) -> None:
    """Serves the app, until interrupted if it is to wait; OSError where the port is taken."""
    from ui.page import launch_options

    app.launch(
        server_name=settings.host,
        server_port=settings.port,
        blocked_paths=[str(settings.home)],
        prevent_thread_lock=not wait,
        **launch_options(),
    )


def run(settings: Settings) -> None:
    """Opens the store, starts the model, serves; StoreError where CTX_HOME cannot be used."""
    from db.store import lock_home, open_store
    from engine.engine import load_engine
    from engine.lookup import Lookup
    from ui.access import Access
    from ui.services import Services

    with lock_home(settings.home), open_store(settings.database) as store:
        store.answers.forget_older(settings.keep_days)
        answers = store.answers if settings.keep_days else None
        lookup = Lookup(partial(load_engine, settings), answers, store.labels.accepted)
        lookup.start()
        try:
            services = Services(settings, lookup, store, Access.of(settings))
            serve(build_app(services), settings)
        finally:
            lookup.close()


def main(arguments: list[str]) -> int:
    if "--version" in arguments:
        print(f"CTX-Translator {VERSION}")
        return 0
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    from db.store import StoreError

    try:
        settings = read_settings()
        with socket.socket() as probe:  # before the model loads: a taken port is said at once
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
        run(settings)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        print(f"Cannot listen on {where} ({error}). Set CTX_PORT to another port.", file=sys.stderr)
        return 2
    except (SettingsError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
