"""What is brought in is a stranger's: everything but a plain adapter for this base is refused, by
folder and by zip, and a refusal leaves nothing behind."""

import json
import os
import pickle
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from engine import bringing, checking, prompt, translation
from engine.bringing import Told, bring_adapter, fetch_adapter, is_hub_id
from engine.catalogue import HOME_FOLDER, came_from, export_adapter, list_adapters
from engine.checking import CARD, CONFIG, WEIGHTS, AdapterError, BaseShape, read_adapter
from engine.settings import Settings
from tests.brought import CARDS, refused, zipped
from tests.made_adapters import make_adapter

LAYER = "model.layers.0.self_attn"
SHAPE = BaseShape(
    "tiny", "1", {f"{LAYER}.q_proj": (8, 6), f"{LAYER}.k_proj": (4, 6), f"{LAYER}.v_proj": (4, 6)}
)
KEY = f"base_model.model.{LAYER}.q_proj.lora_A.weight"


@pytest.fixture
def folder(tmp_path) -> Path:
    return make_adapter(tmp_path / "mine", SHAPE, base="tiny@1")


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


def refusal(source: Path, home: Path, **said) -> str:
    return refused(source, home, SHAPE, **said)


@pytest.mark.parametrize("inside", ["mine/", "", "a/b/"])
def test_a_zip_and_a_folder_become_the_same_adapter(folder, home, tmp_path, inside):
    by_folder = bring_adapter(folder, home, SHAPE)
    by_zip = bring_adapter(zipped(folder, inside), tmp_path / "other", SHAPE, origin="by mail")
    version = read_adapter(folder).version
    assert by_folder.version == by_zip.version == version
    assert by_folder.folder == home / "adapters" / "en-es-translation" / version
    assert came_from(by_folder)["from"] == "mine" and came_from(by_zip)["from"] == "by mail"
    ((*_, entry), refused) = list_adapters(Settings(home=home))
    assert (entry.origin, entry.pair, entry.version) == ("imported", "en-es", version)
    assert not refused


def test_what_is_here_already_is_not_taken_twice(folder, home):
    first = bring_adapter(folder, home, SHAPE, origin="first")
    again = bring_adapter(zipped(folder), home, SHAPE, origin="second")
    assert first == again and came_from(again)["from"] == "first"
    assert [one.name for one in (home / HOME_FOLDER).iterdir()] == ["en-es-translation"]


def test_an_export_can_be_brought_in_elsewhere(folder, home, tmp_path):
    (folder / "README.md").write_text("mine")
    entry = bring_adapter(folder, home, SHAPE)
    export_adapter(entry, tmp_path / "out.zip")
    export_adapter(entry, tmp_path / "again.zip")
    there = bring_adapter(tmp_path / "out.zip", tmp_path / "elsewhere", SHAPE)
    assert there.version == entry.version
    assert (there.folder / "README.md").read_text() == "mine"
    assert (tmp_path / "out.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()
    assert not list(tmp_path.glob("*.new"))


def test_one_without_a_card_is_taken_for_what_it_is_said_to_be(folder, home):
    (folder / CARD).unlink()
    assert refusal(folder, home) == "no_card"
    entry = bring_adapter(folder, home, SHAPE, Told("de-en", style="long"))
    assert (entry.pair, entry.task, entry.card.style) == ("de-en", "translation", "long")
    assert entry.card.base == "tiny@1"


def test_the_styles_are_those_that_readers_engine_speaks():
    spoken = {"sense": prompt.STYLES, "translation": tuple(translation.STYLES)}
    assert spoken == checking.STYLES


def edit(file: Path, **changes) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def edit_header(folder: Path, change, data: bytes | None = None) -> None:
    """Write the weights anew with a header that `change` was let at."""
    raw = (folder / WEIGHTS).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    text = change(header) or json.dumps(header).encode()
    body = raw[8 + length :] if data is None else data
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + body)


def claim(header, **changes):
    header[KEY] |= changes


def rename(header, name):
    header[name] = header.pop(KEY)


def grow(file: Path, size: int) -> None:
    with file.open("r+b") as data:  # a hole in the file: nothing is written
        data.truncate(size)


class Runs:
    def __reduce__(self):
        return (os.system, ("touch /tmp/this-must-not-exist",))


FOLDERS = {
    "pickled weights": ("code", lambda f: (f / "adapter_model.bin").write_bytes(b"")),
    "a pickle by another name": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes(pickle.dumps(Runs())),
    ),
    "code": ("code", lambda f: (f / "modeling_tiny.py").write_text("import os")),
    "a library": ("code", lambda f: (f / "lora.SO").write_bytes(b"\x7fELF")),
    "a shell script": ("code", lambda f: (f / "run.sh").write_text("true")),
    "no weights": ("not_an_adapter", lambda f: (f / WEIGHTS).unlink()),
    "no config": ("not_an_adapter", lambda f: (f / CONFIG).unlink()),
    "linked weights": (
        "link",
        lambda f: (f / WEIGHTS).rename(f.parent / "w") and (f / WEIGHTS).symlink_to(f.parent / "w"),
    ),
    "a link to a password file": ("link", lambda f: (f / "README.md").symlink_to("/etc/passwd")),
    "a linked folder inside": ("link", lambda f: (f / "more").symlink_to(f.parent)),
    "2 GB of weights": ("too_large", lambda f: grow(f / WEIGHTS, 2 << 30)),
    "2 GB of a card": ("too_large", lambda f: grow(f / CARD, 2 << 30)),
    "a header of 2 GB": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes(struct.pack("<Q", 2 << 30) + b"{}"),
    ),
    "a header of 2 EB": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes(struct.pack("<Q", 2 << 60) + b"{}"),
    ),
    "a tensor of 2 GB claimed": (
        "unreadable",
        lambda f: edit_header(f, lambda h: claim(h, shape=[1 << 15, 1 << 15])),
    ),
    "2 GB claimed in place and shape": (
        "unreadable",
        lambda f: edit_header(
            f, lambda h: claim(h, shape=[1 << 15, 1 << 15], data_offsets=[0, 1 << 31])
        ),
    ),
    "tensors that overlap": (
        "unreadable",
        lambda f: edit_header(f, lambda h: claim(h, data_offsets=[8, 56])),
    ),
    "bytes behind the tensors": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes() + b"#!/bin/sh"),
    ),
    "a name twice": (
        "unreadable",
        lambda f: edit_header(f, lambda h: json.dumps(h)[:-1].encode() + b', "a": {}, "a": {}}'),
    ),
    "a header nested too deep": (
        "unreadable",
        lambda f: edit_header(f, lambda h: b"[" * 100_000),
    ),
    "a header that is no object": ("unreadable", lambda f: edit_header(f, lambda h: b"[]", b"")),
    "whole numbers": ("unreadable", lambda f: edit_header(f, lambda h: claim(h, dtype="I16"))),
    "a shape below zero": (
        "unreadable",
        lambda f: edit_header(f, lambda h: claim(h, shape=[-4, -6])),
    ),
    "an unknown key": ("keys", lambda f: edit_header(f, lambda h: rename(h, "lm_head.weight"))),
    "a whole embedding": (
        "keys",
        lambda f: edit_header(f, lambda h: rename(h, "base_model.model.model.embed_tokens.weight")),
    ),
    "a matrix that is no target": (
        "keys",
        lambda f: edit_header(f, lambda h: rename(h, KEY.replace("q_proj", "o_proj"))),
    ),
    "half of a matrix": ("keys", lambda f: edit_header(f, lambda h: rename(h, KEY + ".x"))),
    "another rank than the config's": ("shapes", lambda f: edit(f / CONFIG, r=2)),
    "shapes of another base": (
        "shapes",
        lambda f: edit_header(f, lambda h: claim(h, shape=[4, 6]) or claim(h, shape=[6, 4])),
    ),
    "targets that it has no matrices for": (
        "shapes",
        lambda f: edit(f / CONFIG, target_modules=["k_proj", "q_proj", "v_proj"]),
    ),
    "another base": ("wrong_base", lambda f: edit(f / CARD, base="wide@1")),
    "another revision of the base": ("wrong_base", lambda f: edit(f / CARD, base="tiny@2")),
    "an expression as target": ("not_plain", lambda f: edit(f / CONFIG, target_modules="(a+)+$")),
    "an expression in a list": (
        "not_plain",
        lambda f: edit(f / CONFIG, target_modules=["q_proj", "(a+)+$"]),
    ),
    "a pattern of ranks": ("not_plain", lambda f: edit(f / CONFIG, rank_pattern={"(a+)+$": 3})),
    "excluded by expression": ("not_plain", lambda f: edit(f / CONFIG, exclude_modules="(a+)+$")),
    "layers doubled": ("not_plain", lambda f: edit(f / CONFIG, layer_replication=[[0, 99999]])),
    "weights that rewrite the base": (
        "not_plain",
        lambda f: edit(f / CONFIG, init_lora_weights="pissa"),
    ),
    "code by megatron": (
        "not_plain",
        lambda f: edit(f / CONFIG, megatron_config={"a": 1}, megatron_core="os.path"),
    ),
    "whole modules": ("not_plain", lambda f: edit(f / CONFIG, modules_to_save=["lm_head"])),
    "another method": ("not_plain", lambda f: edit(f / CONFIG, peft_type="IA3")),
    "a rank of a billion": ("not_plain", lambda f: edit(f / CONFIG, r=1 << 30)),
    "an alpha that is no number": (
        "not_plain",
        lambda f: (f / CONFIG).write_text(
            (f / CONFIG).read_text().replace('"lora_alpha": 8', '"lora_alpha": NaN')
        ),
    ),
    "a pair that climbs": ("unreadable", lambda f: edit(f / CARD, pair="../../../tmp")),
    "a task that climbs": ("unreadable", lambda f: edit(f / CARD, task="../x")),
    "a card that is a list": ("unreadable", lambda f: (f / CARD).write_text("[]")),
    "a card nested too deep": ("unreadable", lambda f: (f / CARD).write_text("[" * 100_000)),
} | {
    what: (why, lambda f, said=said: edit(f / CARD, **said)) for what, (why, said) in CARDS.items()
}


@pytest.mark.parametrize("what", FOLDERS)
def test_hostile_folders_are_refused(folder, home, what):
    reason, spoil = FOLDERS[what]
    spoil(folder)
    if what == "shapes of another base":
        wide = BaseShape("tiny", "1", {name: (8, 7) for name in SHAPE.matrices})
        with pytest.raises(AdapterError) as caught:
            bring_adapter(folder, home, wide)
        assert caught.value.reason == reason and not list((home / HOME_FOLDER).iterdir())
    else:
        assert refusal(folder, home) == reason
    assert not Path("/tmp/this-must-not-exist").exists()


OTHER_BASE = "shapes of another base"  # a matter of the base, not of the way in


@pytest.mark.parametrize(
    "what",
    [w for w in FOLDERS if FOLDERS[w][0] != "link" and "2 GB of" not in w and w != OTHER_BASE],
)
def test_hostile_folders_are_refused_as_zips(folder, home, what):
    reason, spoil = FOLDERS[what]
    spoil(folder)
    assert refusal(zipped(folder), home) == reason


def test_a_linked_folder_is_refused(folder, home):
    link = folder.with_name("link")
    link.symlink_to(folder)
    assert refusal(link, home) == "link"


def test_a_folder_of_thousands_is_refused(folder, home):
    for number in range(bringing._MOST_FILES + 1):
        (folder / f"{number}.txt").touch()
    assert refusal(folder, home) == "too_large"


@pytest.mark.parametrize("name", ["weights.bin", "weights.pkl", "weights.safetensors", "x.zip"])
def test_a_single_file_is_no_adapter(tmp_path, home, name):
    (tmp_path / name).write_bytes(pickle.dumps(Runs()))
    assert refusal(tmp_path / name, home) in ("code", "not_an_adapter")
    assert refusal(tmp_path / "none.zip", home) == "not_an_adapter"


def entry(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    return info


ZIPS = {
    "climbs out": ("path", entry("../evil.json")),
    "climbs out deeper": ("path", entry("mine/../../evil.json")),
    "absolute": ("path", entry("/etc/cron.d/evil")),
    "with a drive": ("path", entry("C:evil.json")),
    "with backslashes": ("path", entry("mine\\..\\..\\evil.json")),
    "a name cut short": ("path", entry("mine/README.md\x00.py")),
    "a link": ("link", entry("mine/README.md", stat.S_IFLNK | 0o777)),
    "a linked folder": ("link", entry("mine/more", stat.S_IFLNK | 0o777)),
    "a device": ("link", entry("mine/README.md", stat.S_IFCHR | 0o666)),
    "code elsewhere": ("code", entry("other/setup.py")),
    "a name twice": ("path", entry(f"mine/{CARD}")),
    "two adapters": ("not_an_adapter", entry(f"other/{CONFIG}")),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", ZIPS)
def test_hostile_zips_are_refused(folder, home, what):
    reason, extra = ZIPS[what]
    file = zipped(folder)
    with zipfile.ZipFile(file, "a") as out:
        out.writestr(extra, b"/etc/passwd")
    assert refusal(file, home) == reason
    assert not (home.parent / "evil.json").exists()


def test_a_zip_that_claims_2_gb_is_refused_unread(folder, home):
    file = zipped(folder)
    raw = bytearray(file.read_bytes())
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(WEIGHTS.encode()))  # in the central directory
    raw[at + 24 : at + 28] = struct.pack("<I", (2 << 30) - 1)
    file.write_bytes(raw)
    assert refusal(file, home) == "too_large"


def test_a_zip_that_unpacks_to_more_than_it_claims_is_cut(folder, home):
    grow(folder / "adapter_config.json", 900_000)  # zeros: a thousandth of that in the zip
    file = zipped(folder)
    raw = bytearray(file.read_bytes())
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(CONFIG.encode()))
    raw[at + 24 : at + 28] = struct.pack("<I", 100)
    file.write_bytes(raw)
    assert refusal(file, home) == "unreadable"


def test_a_zip_that_is_broken_or_locked_is_refused(folder, home):
    file = zipped(folder)
    raw = bytearray(file.read_bytes())
    middle = len(raw) // 3
    raw[middle : middle + 40] = bytes(40)
    file.write_bytes(raw)
    assert refusal(file, home) in ("unreadable", "not_an_adapter")
    file = zipped(folder)
    raw = bytearray(file.read_bytes())
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):  # says that it is encrypted
        at = raw.index(mark)
        raw[at + offset] |= 1
    file.write_bytes(raw)
    assert refusal(file, home) == "unreadable"


def test_a_disk_that_is_full_is_said_and_nothing_is_left(folder, home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bringing.os, "fsync", full)
    assert refusal(folder, home) == "unreadable"


def test_the_hub_is_refused_clearly_when_it_cannot_be_reached(home, monkeypatch):
    import huggingface_hub.constants

    assert is_hub_id("someone/an-adapter") and not is_hub_id("/tmp/x") and not is_hub_id("../a")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for name in ("someone/an-adapter", "not a name", "a/b/c"):
        with pytest.raises(AdapterError) as caught:
            fetch_adapter(name, home, SHAPE)
        assert caught.value.reason == "hub"
    assert "Check the name and the connection" in str(caught.value) or name in str(caught.value)
    assert list((home / HOME_FOLDER).iterdir()) == []


def test_the_hubs_known_files_are_taken_and_large_ones_never_fetched(folder, home, monkeypatch):
    import huggingface_hub

    class File:
        def __init__(self, name, size):
            self.rfilename, self.size = name, size

    class Api:
        def model_info(self, repository, revision, files_metadata):
            assert files_metadata
            return type("Info", (), {"sha": "abc", "siblings": files})

    def download(repository, revision, allow_patterns, local_dir):
        assert revision == "abc" and "*" not in "".join(allow_patterns)
        for one in folder.iterdir():
            assert one.name in allow_patterns
            (Path(local_dir) / one.name).write_bytes(one.read_bytes())

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    files = [File(WEIGHTS, 2 << 30)]
    with pytest.raises(AdapterError, match="too large"):
        fetch_adapter("someone/it", home, SHAPE)
    files = [File(WEIGHTS, 1000), File("pytorch_model.bin", 2 << 30)]
    assert came_from(fetch_adapter("someone/it", home, SHAPE))["from"] == "someone/it@abc"
