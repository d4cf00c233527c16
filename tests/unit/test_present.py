"""The file that says which model readers have: read with care, replaced whole, watched."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from engine.present import POINTER, Pointer, Watch, read_pointer, write_pointers
from engine.settings import Settings, assets

SHIPPED = assets() / "adapters" / "en-zh-sense"
KEPT = "adapters/en-zh-sense/ab12"
KEY = ("en-zh", "sense")


def keep(home: Path, folder: str = KEPT) -> Path:
    place = home / folder
    place.mkdir(parents=True)
    (place / "adapter_model.safetensors").write_bytes(b"weights")
    return place


def test_nothing_promoted_is_the_shipped_adapter(tmp_path: Path) -> None:
    assert read_pointer(tmp_path) == Pointer()
    assert Settings(home=tmp_path).adapter_folder == SHIPPED


def test_settings_follow_what_was_promoted(tmp_path: Path) -> None:
    settings, place = Settings(home=tmp_path), keep(tmp_path)
    write_pointers(tmp_path, {KEY: Pointer("run:7", "ab12", KEPT, "first")})
    assert settings.adapter_folder == place
    assert read_pointer(tmp_path).model == "run:7"
    assert read_pointer(tmp_path, "de-en") == Pointer()
    write_pointers(tmp_path, {KEY: Pointer("base", "base")})
    assert settings.adapter_folder is None
    write_pointers(tmp_path, {KEY: Pointer("shipped", "cd34")})
    assert settings.adapter_folder == SHIPPED


@pytest.mark.parametrize("adapter", ["none", "/elsewhere"])
def test_an_adapter_that_was_set_wins(tmp_path: Path, adapter: str) -> None:
    keep(tmp_path)
    write_pointers(tmp_path, {KEY: Pointer("run:7", "ab12", KEPT)})
    wanted = None if adapter == "none" else Path(adapter)
    assert Settings(home=tmp_path, adapter=adapter).adapter_folder == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "[]", "null", '{"en-zh-sense": 5}', '{"en-zh-sense": {"folder": 5}}',
        '{"en-zh-sense": {"path": "x"}}', "[" * 5000,
        '{"en-zh-sense": {"folder": "../outside"}}', '{"en-zh-sense": {"folder": "gone"}}',
        '{"en-zh-sense": {"folder": "/etc"}}', '{"en-zh-sense": {"folder": "a\\u0000b"}}',
    ],
)  # fmt: skip
def test_what_it_should_not_say_is_the_shipped_adapter(tmp_path: Path, text: str) -> None:
    home = tmp_path / "home"
    keep(tmp_path, "outside")
    home.mkdir()
    (home / POINTER).write_text(text)
    assert Settings(home=home).adapter_folder == SHIPPED


def test_a_link_out_of_the_home_is_not_followed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "adapters").symlink_to(keep(tmp_path, "outside").parent)
    (home / POINTER).write_text(json.dumps({"en-zh-sense": {"folder": "adapters/outside"}}))
    assert Settings(home=home).adapter_folder == SHIPPED


def test_a_change_is_noticed_once(tmp_path: Path) -> None:
    seen = threading.Semaphore(0)
    watch = Watch(lambda: read_pointer(tmp_path), seen.release, every=0.01)
    write_pointers(tmp_path, {KEY: Pointer("base", "base")})
    assert seen.acquire(timeout=10)
    write_pointers(tmp_path, {KEY: Pointer("base", "base")})
    assert not seen.acquire(timeout=0.1)
    write_pointers(tmp_path, {KEY: Pointer("shipped", "cd34")})
    assert seen.acquire(timeout=10)
    watch.close()
    assert not list(tmp_path.glob("*.new"))
