"""What adapters there are, which of them readers have, how they leave, and the command for it."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import huggingface_hub.constants
import pytest

from engine import catalogue
from engine.__main__ import main
from engine.adapters import base_shape
from engine.bringing import bring_adapter
from engine.catalogue import (
    delete_adapter,
    export_adapter,
    find_adapter,
    list_adapters,
    list_pairs,
    read_unchanged,
    readers_adapter,
)
from engine.checking import CARD, WEIGHTS, AdapterError, BaseShape
from engine.present import Pointer, write_pointers
from engine.settings import Settings
from tests.made_adapters import make_adapter
from tests.real import ROOT
from tests.tiny import tiny_model, tiny_tokenizer

LAYER = "model.layers.0.self_attn"
SHAPE = BaseShape("tiny", "1", {f"{LAYER}.q_proj": (8, 6), f"{LAYER}.v_proj": (4, 6)})


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """An app that ships two adapters, and an empty home."""
    for pair in ("en-es", "en-ta"):
        make_adapter(tmp_path / "app" / "adapters" / f"{pair}-translation", SHAPE, pair=pair)
    (tmp_path / "app" / "adapters" / "en-hi-translation").mkdir()  # a recipe, not trained yet
    monkeypatch.setattr(catalogue, "assets", lambda: tmp_path / "app")
    return Settings(home=tmp_path / "home", base="somewhere/tiny")


def bring(settings: Settings, tmp_path: Path, pair: str = "en-es", seed: int = 5, **said):
    folder = make_adapter(tmp_path / f"{pair}{seed}", SHAPE, seed, pair, **said)
    return bring_adapter(folder, settings.home, SHAPE)


def point(settings: Settings, pair: str, **pointer: str) -> None:
    write_pointers(settings.home, {(pair, "translation"): Pointer(**pointer)})


def test_a_folder_says_what_it_is(settings, tmp_path):
    made = {
        "licence": "gemma",
        "made": "2026-11-26",
        "data": [{"name": "pud", "sha256": "ab" * 32}],
    }
    entry = bring(settings, tmp_path, scores={"test": {"n": 3}}, **made)
    assert (entry.pair, entry.task, entry.name) == ("en-es", "translation", "en-es-translation")
    assert entry.card.licence == "gemma" and entry.card.made == "2026-11-26"
    assert entry.card.data[0]["sha256"] and entry.card.scores["test"]["n"] == 3
    assert entry.bytes == (entry.folder / WEIGHTS).stat().st_size and len(entry.version) == 12


def test_readers_have_what_ships_until_something_is_promoted(settings, tmp_path):
    shipped = readers_adapter(settings, "en-es", "translation")
    assert shipped.origin == "shipped"
    mine = bring(settings, tmp_path)
    assert readers_adapter(settings, "en-es", "translation") == shipped
    folder = mine.folder.relative_to(settings.home).as_posix()
    point(settings, "en-es", model="kept:x", version=mine.version, folder=folder)
    assert readers_adapter(settings, "en-es", "translation") == mine
    assert readers_adapter(settings, "en-es", "sense") is None
    point(settings, "en-es", model="base", version="base")
    assert readers_adapter(settings, "en-es", "translation") is None


def test_a_new_pair_is_one_more_folder(settings, tmp_path):
    assert list_pairs(settings, "translation") == ("en-es", "en-ta")
    first = bring(settings, tmp_path, "fr-en", 1)
    assert list_pairs(settings, "translation") == ("en-es", "en-ta", "fr-en")
    second = bring(settings, tmp_path, "fr-en", 2)
    assert readers_adapter(settings, "fr-en", "translation") == second != first


def test_another_base_has_none_of_them(settings, tmp_path):
    bring(settings, tmp_path)
    assert list_pairs(Settings(home=settings.home, base="a/llama"), "translation") == ()


def test_folders_that_are_none_are_listed_with_their_reason(settings, tmp_path):
    mine = bring(settings, tmp_path)
    broken = mine.folder.parent / "broken"
    make_adapter(broken, SHAPE)
    (broken / WEIGHTS).write_bytes(b"half")
    (mine.folder.parent / "linked").symlink_to(mine.folder)
    (settings.home / "adapters" / ".new-x" / "half").mkdir(parents=True)
    found, refused = list_adapters(settings)
    assert [entry.origin for entry in found] == ["shipped", "shipped", "imported"]
    assert [(one.folder, one.reason) for one in refused] == [(broken, "unreadable")]


def test_a_change_of_any_file_is_seen(settings, tmp_path):
    entry = bring(settings, tmp_path)
    assert read_unchanged(entry.folder) is read_unchanged(entry.folder)
    card = entry.folder / CARD
    card.write_text(json.dumps(json.loads(card.read_text()) | {"made": "2026-11-27"}))
    assert read_unchanged(entry.folder).version != entry.version


def test_one_is_found_by_version_or_by_its_only_name(settings, tmp_path):
    mine = bring(settings, tmp_path, name="mine")
    assert find_adapter(settings, mine.version) == find_adapter(settings, mine.version[:7]) == mine
    assert find_adapter(settings, "mine") == mine
    bring(settings, tmp_path, "en-ta", 6, name="mine")
    for name in ("mine", "none", "", "../mine", mine.version[:3]):
        with pytest.raises(AdapterError):
            find_adapter(settings, name)


def test_what_ships_or_is_read_with_is_not_deleted(settings, tmp_path):
    mine = bring(settings, tmp_path)
    with pytest.raises(AdapterError, match="ships"):
        delete_adapter(settings, readers_adapter(settings, "en-es", "translation"))
    folder = mine.folder.relative_to(settings.home).as_posix()
    point(settings, "en-es", model="kept:x", version=mine.version, folder=folder)
    with pytest.raises(AdapterError, match="readers have"):
        delete_adapter(settings, mine)
    point(settings, "en-es")
    delete_adapter(settings, mine)
    assert not mine.folder.exists() and not list(settings.home.glob("adapters/.new-*"))
    assert all(entry.version != mine.version for entry in list_adapters(settings)[0])


def test_an_export_has_nothing_of_this_machine(settings, tmp_path):
    mine = bring(settings, tmp_path)
    export_adapter(mine, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        names = [Path(name).name for name in archive.namelist()]
        assert names == [WEIGHTS, "adapter_config.json", CARD]  # not where it was imported from
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_failed_export_leaves_the_old_file(settings, tmp_path, monkeypatch):
    mine = bring(settings, tmp_path)
    (tmp_path / "out.zip").write_bytes(b"old")
    monkeypatch.setattr(catalogue.shutil, "copyfileobj", _fail)
    with pytest.raises(OSError):
        export_adapter(mine, tmp_path / "out.zip")
    assert (tmp_path / "out.zip").read_bytes() == b"old"
    assert not list(tmp_path.glob("out.zip.*"))


def _fail(*_):
    raise OSError(28, "No space left on device")


def test_nothing_of_it_needs_torch():
    code = "import engine.bringing, engine.translations, sys; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.strip() == "False", told.stderr


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """`python -m engine adapters` in a home of its own, over a tiny base; what it says."""
    tiny_model(len(tiny_tokenizer())).save_pretrained(tmp_path / "tiny")
    monkeypatch.setenv("CTX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CTX_BASE", str(tmp_path / "tiny"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["engine", "adapters", *arguments])
        capsys.readouterr()
        code = main()
        said = capsys.readouterr()
        return code, said.out if code == 0 else said.err

    return run


def test_the_command_brings_in_lists_writes_out_and_deletes(command, tmp_path):
    shape = base_shape(Settings(home=tmp_path / "home", base=str(tmp_path / "tiny")))
    folder = make_adapter(tmp_path / "mine", shape, pair="en-fr")
    code, told = command("import", str(folder))
    version = told.split()[1]
    assert code == 0 and told.startswith(f"* {version}  en-fr")
    last = command("list")[1].splitlines()[-1]
    assert last.startswith(f"* {version}  en-fr") and last.endswith("imported from mine")
    assert command("export", version, str(tmp_path / "out.zip")) == (0, f"{tmp_path}/out.zip\n")
    assert command("delete", version)[1] == f"deleted en-fr-translation {version}\n"
    assert command("import", str(tmp_path / "out.zip"))[1].split()[1] == version


def test_the_command_says_what_it_refuses(command, tmp_path):
    shape = base_shape(Settings(home=tmp_path / "home", base=str(tmp_path / "tiny")))
    folder = make_adapter(tmp_path / "mine", shape, pair="en-fr")
    (folder / "run.py").touch()
    code, told = command("import", str(folder))
    assert code == 2 and "pickled weights or code" in told
    code, told = command("import", "someone/it")
    assert code == 2 and "could not be fetched from the hub" in told
    assert command("delete", "none")[0] == 2
