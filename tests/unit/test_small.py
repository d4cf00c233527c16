"""The small model's place: made once, of what ships and of nothing else, and missed by nobody where
it cannot be had.
"""

import subprocess
from dataclasses import replace

import pytest

from engine import engine as loading
from engine import small
from engine.forms import Form, FormError, Told, form_folder, write_told
from engine.settings import Settings, read_settings

BASE, ADAPTER = "tiny@0", "a1"
TOLD = Told("int8-rows8", BASE, ADAPTER, "0", Form("int8", "int8").told, {"fit": True})


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A home, and what ships of a small model of BASE and ADAPTER."""
    shipped = tmp_path / "ships"
    shipped.mkdir()
    write_told(shipped, TOLD)
    monkeypatch.setattr(small, "small_assets", lambda: shipped)
    return Settings(home=tmp_path, form="small")


def lay(folder, told):
    """What the child leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text("{}")
    write_told(folder, told)


@pytest.fixture
def makings(monkeypatch):
    """The folders that a child was asked for, each made at once."""
    asked = []

    def make(settings, folder):
        asked.append(folder)
        lay(folder, replace(TOLD, sha256="of this machine"))

    monkeypatch.setattr(small, "_make_in_child", make)
    return asked


def find(settings, base=BASE, adapter=ADAPTER):
    said = []
    return small.find_small(settings, base, adapter, lambda state, share: said.append(state)), said


def test_it_is_made_once(settings, makings):
    folder = form_folder(settings.home, ADAPTER, "small")
    assert find(settings) == (folder, ["converting"])
    assert find(settings) == (folder, []) and makings == [folder]


@pytest.mark.parametrize(
    "change", [{"gate": {}}, {"gate": {"fit": True, "n": 2}}, {"version": 0}, {"ways": {}}]
)
def test_what_is_half_made_or_of_another_version_is_made_again(settings, makings, change):
    folder = form_folder(settings.home, ADAPTER, "small")
    lay(folder, replace(TOLD, **change))
    find(settings)
    assert makings == [folder]


@pytest.mark.parametrize("named", [{"base": "tiny@1"}, {"adapter": "a2"}])
def test_of_another_base_or_adapter_there_is_none(settings, makings, named):
    with pytest.raises(FormError) as error:
        find(settings, **named)
    assert error.value.code == "form_missing" and not makings


def test_where_it_cannot_be_made_the_model_serves_as_it_is_and_says_why(settings, monkeypatch):
    def fails(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "a line\nNo space left on device")

    monkeypatch.setattr(small.subprocess, "run", fails)
    with pytest.raises(FormError, match="No space left on device"):
        find(settings)

    class Engine:
        detail = "tiny"

    monkeypatch.setattr(loading, "find_base", lambda *_: ("somewhere", "tiny", "0"))
    monkeypatch.setattr(loading, "load_base", lambda *_: "base")
    monkeypatch.setattr(loading, "replace", lambda engine, detail: detail)
    monkeypatch.setattr(loading, "make_engine", lambda base, folder: Engine())
    monkeypatch.setattr(Settings, "adapter_folder", None)
    write_told(small.small_assets(), replace(TOLD, adapter="base"))
    assert "No space left on device" in loading.load_engine(settings)


def test_a_hosted_app_serves_it():
    assert read_settings({"SPACE_ID": "someone/space"}).form == "small"
    assert read_settings({"SPACE_ID": "someone/space", "CTX_FORM": "plain"}).form == "plain"
    assert read_settings({}).form == "plain"
