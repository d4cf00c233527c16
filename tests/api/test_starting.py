"""Starting the real app: one a CTX_HOME, newer databases left alone, no connection elsewhere."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

from gradio_client import Client

from db.store import open_store
from tests.real import ROOT, free_port, fresh_home, serving, small_home

WATCH = """
import json, os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        whom = arguments if event == "socket.getaddrinfo" else arguments[1:]
        with open(os.environ["WATCHED"], "a") as out:
            print(json.dumps([event, repr(whom)]), file=out)

sys.addaudithook(watch)
"""


def start(home, **environment):
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=os.environ | {"CTX_HOME": str(home), "CTX_PORT": str(free_port())} | environment,
    )  # fmt: skip


def test_a_second_app_on_one_home_is_refused(models_home, tmp_path):
    home = fresh_home(tmp_path / "home", models_home)
    with serving(home):
        second = start(home)
        assert second.returncode == 2 and str(home) in second.stderr
        assert "Traceback" not in second.stderr
    with serving(home):  # the first one's end frees it
        pass


def test_a_newer_database_is_refused_and_left_alone(tmp_path):
    database = tmp_path / "ctx.db"
    open_store(database).close()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = database.read_bytes()
    refused = start(tmp_path)
    assert refused.returncode == 2 and "999" in refused.stderr
    assert database.read_bytes() == before


def test_no_request_leaves_the_machine(models_home, tmp_path):
    """The server's own connections; the page's are watched by every browser test."""
    home = fresh_home(tmp_path / "home", models_home)
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "watched.jsonl"
    log.touch()
    with serving(home, PYTHONPATH=str(tmp_path), WATCHED=str(log), HF_HUB_OFFLINE="") as app:
        client = Client(app.url, verbose=False)
        answer = client.predict("He hit the sack.", "sack", 1, "en-zh", api_name="/lookup")
        assert answer["zh"]
    watched = [json.loads(line) for line in log.read_text().splitlines()]
    assert watched, "the app at least asks itself whether it is up"
    local = ("127.0.0.1", "localhost", "::1", "'/", "0.0.0.0", "None")
    assert not [w for w in watched if not any(name in w[1] for name in local)]


def test_looked_up_words_are_still_known_after_a_restart(models_home, tmp_path):
    home = fresh_home(tmp_path / "home", models_home)
    asked = ("The bank raised its rates.", "bank", 1, "en-zh")
    with serving(home) as app:
        first = Client(app.url, verbose=False).predict(*asked, api_name="/lookup")
    with sqlite3.connect(f"file:{home}/ctx.db?mode=ro", uri=True) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM kept_answer").fetchone()
    assert kept == 5
    with serving(home) as app:
        assert Client(app.url, verbose=False).predict(*asked, api_name="/lookup") == first


def test_a_hosted_app_writes_nothing_of_what_is_pasted(made_small, tmp_path):
    home = small_home(tmp_path / "home", made_small)
    with serving(home, SPACE_ID="someone/space", CTX_HOST="127.0.0.1") as app:
        client = Client(app.url, verbose=False)
        client.predict("Zyzzyva is secret.", "secret", 1, "en-zh", api_name="/lookup")
        files = [f for f in home.rglob("*") if f.is_file() and "models" not in f.parts]
        assert files and not [f for f in files if b"Zyzzyva" in f.read_bytes()]
