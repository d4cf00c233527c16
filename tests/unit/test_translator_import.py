"""A translator that is brought in is a stranger's too: all but a plain one is refused, by folder
and by zip, nothing is left of it, and no base is asked for."""

import json
import os
import pickle
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine import __main__ as engine_main
from engine.bringing import Told, bring_adapter, fetch_adapter
from engine.catalogue import came_from, export_adapter, find_adapter, readers_adapter
from engine.checking import CARD, AdapterError
from engine.settings import Settings
from engine.translation import TaggedPrompt, write
from engine.translator import CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS, read_translator
from tests.brought import refused, zipped
from tests.tiny_scratch import LINES, tiny_translator
from trainer.scratch.tokenizer import load_codec


def no_base():
    raise AssertionError("a translator fits no base")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return tiny_translator(tmp_path_factory.mktemp("made") / "mine", pair="de-en").folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "mine"))


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


def refusal(source: Path, home: Path, **said) -> str:
    return refused(source, home, no_base, **said)


@pytest.mark.parametrize("inside", ["mine/", "", "a/b/"])
def test_a_zip_and_a_folder_become_the_same_translator(folder, home, tmp_path, inside):
    (folder / "README.md").write_text("mine")
    (folder / "notes.txt").write_text("of no use here")
    by_folder = bring_adapter(folder, home, no_base)
    by_zip = bring_adapter(zipped(folder, inside), tmp_path / "other", no_base, origin="by mail")
    assert by_folder.version == by_zip.version == read_translator(folder).version
    assert by_folder.folder == home / "adapters" / "de-en-translation" / by_zip.version
    assert (by_zip.origin, came_from(by_zip)["from"]) == ("imported", "by mail")
    kept = {one.name for one in by_zip.folder.iterdir()}
    assert "README.md" in kept and "notes.txt" not in kept
    assert find_adapter(Settings(home=home), "tiny-0").version == by_zip.version


def test_what_was_exported_is_brought_in_elsewhere_and_writes_the_same(folder, home, tmp_path):
    from engine.alone import load_translator

    entry = bring_adapter(folder, home, no_base)
    export_adapter(entry, tmp_path / "out.zip")
    there = bring_adapter(tmp_path / "out.zip", tmp_path / "elsewhere", no_base)
    assert there.version == entry.version

    def said(one, of: Path) -> list[str]:
        base = load_translator(one.adapter, Settings(home=of, dtype="float32"))
        return list(write(base.model, TaggedPrompt(base.tokenizer), LINES[0], "de-en", 8))

    assert said(there, tmp_path / "elsewhere") == said(entry, home)


def test_readers_get_one_of_a_pair_that_had_nothing(home, tmp_path):
    made = tiny_translator(tmp_path / "made", pair="en-de").folder
    bring_adapter(zipped(made), home, no_base)
    assert readers_adapter(Settings(home=home), "en-de", "translation").name == "tiny-0"


def test_one_without_a_card_is_taken_for_what_it_is_said_to_be(folder, home):
    (folder / CARD).unlink()
    assert refusal(folder, home) == "no_card"
    assert refusal(folder, home, told=Told("de-en", "sense")) == "no_card"
    assert refusal(folder, home, told=Told("de-fr")) == "not_plain", "it knows no French"
    entry = bring_adapter(folder, home, no_base, Told("en-de"))
    assert (entry.pair, entry.task, entry.card.style) == ("en-de", "translation", "tagged")


def edit(file: Path, **changes) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def edit_within(file: Path, part: str, **changes) -> None:
    edit(file, **{part: json.loads(file.read_text())[part] | changes})


def change_weights(folder: Path, change) -> None:
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS)


def edit_vocabulary(folder: Path, change) -> None:
    pieces = json.loads((folder / TOKENIZER).read_text())["model"]["vocab"]
    change(pieces)
    edit_within(folder / TOKENIZER, "model", vocab=pieces)


def grow(file: Path, size: int) -> None:
    with file.open("r+b") as data:  # a hole in the file: nothing is written
        data.truncate(size)


class Runs:
    def __reduce__(self):
        return (os.system, ("touch /tmp/this-must-not-exist",))


SLOW = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
FOLDERS = {
    "pickled weights": ("code", lambda f: (f / "pytorch_model.bin").write_bytes(b"")),
    "a pickle by another name": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes(pickle.dumps(Runs())),
    ),
    "code": ("code", lambda f: (f / "modeling_llama.py").write_text("import os")),
    "no tokenizer": ("not_an_adapter", lambda f: (f / TOKENIZER).unlink()),
    "linked weights": (
        "link",
        lambda f: (f / WEIGHTS).rename(f.parent / "w") and (f / WEIGHTS).symlink_to(f.parent / "w"),
    ),
    "a link to a password file": ("link", lambda f: (f / "README.md").symlink_to("/etc/passwd")),
    "2 GB of weights": ("too_large", lambda f: grow(f / WEIGHTS, 2 << 30)),
    "2 GB of a tokenizer": ("too_large", lambda f: grow(f / TOKENIZER, 2 << 30)),
    "2 GB of a config": ("too_large", lambda f: grow(f / CONFIG, 2 << 30)),
    "a header of 2 GB": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes(struct.pack("<Q", 2 << 30) + b"{}"),
    ),
    "bytes behind the tensors": (
        "unreadable",
        lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes() + b"#!/bin/sh"),
    ),
    "whole numbers": (
        "unreadable",
        lambda f: change_weights(
            f, lambda w: w.update({"model.norm.weight": torch.ones(32, dtype=torch.int16)})
        ),
    ),
    "a head of its own": (
        "keys",
        lambda f: change_weights(f, lambda w: w.update({"lm_head.weight": torch.ones(2)})),
    ),
    "a tensor that lacks": (
        "keys",
        lambda f: change_weights(f, lambda w: w.pop("model.norm.weight")),
    ),
    "other shapes than the config's": (
        "shapes",
        lambda f: change_weights(f, lambda w: w.update({"model.norm.weight": torch.ones(33)})),
    ),
    "a config of more layers": ("keys", lambda f: edit(f / CONFIG, num_hidden_layers=3)),
    "a billion layers": ("not_plain", lambda f: edit(f / CONFIG, num_hidden_layers=1 << 30)),
    "code by its name": ("not_plain", lambda f: edit(f / CONFIG, auto_map={"AutoModel": "x.Y"})),
    "a kernel to fetch": (
        "not_plain",
        lambda f: edit(f / CONFIG, _attn_implementation="someone/kernel"),
    ),
    "biases that no file has": ("not_plain", lambda f: edit(f / CONFIG, attention_bias=True)),
    "quantised": ("not_plain", lambda f: edit(f / CONFIG, quantization_config={"bits": 4})),
    "another class": ("not_plain", lambda f: edit(f / CONFIG, architectures=["GemmaForCausalLM"])),
    "positions of another kind": (
        "not_plain",
        lambda f: edit(f / CONFIG, rope_parameters={"rope_type": "yarn", "rope_theta": 1.0}),
    ),
    "heads that do not share": ("not_plain", lambda f: edit(f / CONFIG, num_attention_heads=5)),
    "an end that is no token": ("not_plain", lambda f: edit(f / CONFIG, eos_token_id=100_000)),
    "a size that is no number": ("not_plain", lambda f: edit(f / CONFIG, vocab_size="all")),
    "a config that says it twice": (
        "unreadable",
        lambda f: (f / CONFIG).write_text(
            (f / CONFIG).read_text().replace("{", '{"model_type": "gemma",', 1)
        ),
    ),
    "a config nested too deep": ("unreadable", lambda f: (f / CONFIG).write_text("[" * 100_000)),
    "a tokenizer of its own code": (
        "not_plain",
        lambda f: edit(f / TOKENIZER_CONFIG, auto_map={"AutoTokenizer": ["x.Y", None]}),
    ),
    "a tokenizer of another class": (
        "not_plain",
        lambda f: edit(f / TOKENIZER_CONFIG, tokenizer_class="LlamaTokenizer"),
    ),
    "a template": ("not_plain", lambda f: edit(f / TOKENIZER_CONFIG, chat_template="{{ 1 }}")),
    "an expression without end": ("not_plain", lambda f: edit(f / TOKENIZER, pre_tokenizer=SLOW)),
    "texts made other": (
        "not_plain",
        lambda f: edit(f / TOKENIZER, normalizer={"type": "Lowercase"}),
    ),
    "another kind of tokenizer": (
        "not_plain",
        lambda f: edit_within(f / TOKENIZER, "model", type="BPE"),
    ),
    "more tokens than rows": (
        "not_plain",
        lambda f: edit_vocabulary(f, lambda p: p.extend([f"x{n}", -3.0] for n in range(9))),
    ),
    "a piece that stands twice": (
        "not_plain",
        lambda f: edit_vocabulary(f, lambda p: p.__setitem__(-1, p[-2])),
    ),
    "a score that is none": (
        "unreadable",
        lambda f: edit_vocabulary(f, lambda p: p.__setitem__(-1, [p[-1][0], float("nan")])),
    ),
    "a token added behind the rows": (
        "not_plain",
        lambda f: edit(f / TOKENIZER, added_tokens=[{"id": 5000, "content": "<more>"}]),
    ),
    "a tokenizer that is a list": ("unreadable", lambda f: (f / TOKENIZER).write_text("[]")),
    "a pair that it has no tokens for": ("not_plain", lambda f: edit(f / CARD, pair="de-fr")),
    "a pair that climbs": ("unreadable", lambda f: edit(f / CARD, pair="../../../tmp")),
    "a card of words": ("no_card", lambda f: edit(f / CARD, task="sense")),
    "a card that names a base": ("wrong_base", lambda f: edit(f / CARD, base="tiny@1")),
    "an adapter's config alone beside it": (
        "not_an_adapter",
        lambda f: (f / "adapter_config.json").write_text("{}"),
    ),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_hostile_folders_are_refused(folder, home, what):
    reason, spoil = FOLDERS[what]
    spoil(folder)
    assert refusal(folder, home) == reason
    assert not Path("/tmp/this-must-not-exist").exists()


@pytest.mark.parametrize(
    "what", [w for w in FOLDERS if FOLDERS[w][0] != "link" and "2 GB of" not in w]
)
def test_hostile_folders_are_refused_as_zips(folder, home, what):
    reason, spoil = FOLDERS[what]
    spoil(folder)
    assert refusal(zipped(folder), home) == reason


@pytest.mark.parametrize(
    "reason, name",
    [("path", "../evil.json"), ("path", "/etc/evil"), ("path", f"mine/{CARD}"),
     ("code", "other/setup.py"), ("not_an_adapter", f"other/{CONFIG}")],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_zips_are_refused(folder, home, reason, name):
    file = zipped(folder)
    with zipfile.ZipFile(file, "a") as out:
        out.writestr(zipfile.ZipInfo(name), b"{}")
    assert refusal(file, home) == reason
    assert not (home.parent / "evil.json").exists()


def test_a_zip_that_claims_3_gb_is_refused_unread(folder, home):
    file = zipped(folder)
    raw = bytearray(file.read_bytes())
    at = raw.rindex(b"PK\x01\x02", 0, raw.rindex(WEIGHTS.encode()))  # in the central directory
    raw[at + 24 : at + 28] = struct.pack("<I", (3 << 30) - 1)
    file.write_bytes(raw)
    assert refusal(file, home) == "too_large"


def test_of_the_hub_a_translators_own_files_are_fetched(folder, home, monkeypatch):
    import huggingface_hub

    class File:
        def __init__(self, name, size):
            self.rfilename, self.size = name, size

    class Api:
        def model_info(self, repository, revision, files_metadata):
            return type("Info", (), {"sha": "abc", "siblings": files})

    def download(repository, revision, allow_patterns, local_dir):
        for one in folder.iterdir():
            assert one.name in allow_patterns
            shutil.copy(one, local_dir)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    files = [File(CONFIG, 700), File(WEIGHTS, 2 << 30)]
    with pytest.raises(AdapterError, match="too large"):
        fetch_adapter("someone/it", home, no_base)
    files = [File(one.name, one.stat().st_size) for one in folder.iterdir()]
    assert came_from(fetch_adapter("someone/it", home, no_base))["from"] == "someone/it@abc"


def test_the_command_takes_it_in_and_says_why_not(folder, home, monkeypatch, capsys):
    def run(*arguments) -> int:
        monkeypatch.setattr(sys, "argv", ["engine", "adapters", *map(str, arguments)])
        return engine_main.main()

    monkeypatch.setenv("CTX_HOME", str(home))
    monkeypatch.setenv("CTX_BASE", str(home / "no base"))
    file = zipped(folder)
    assert run("import", file) == 0
    assert "tiny-0" in (told := capsys.readouterr().out) and "imported from mine.zip" in told
    edit(folder / CONFIG, auto_map={"AutoModel": "x.Y"})
    assert run("import", zipped(folder)) != 0
    assert "not a plain model" in capsys.readouterr().err


def test_what_an_export_writes_is_what_is_let_in_whatever_its_tokenizer(folder, home):
    """The tokenizer's way to cut is one constant: a text is cut as it was in training."""
    told = json.loads((folder / TOKENIZER).read_text())
    mine = json.loads(load_codec(folder).tokenizer.to_str())
    assert told["pre_tokenizer"] == mine["pre_tokenizer"] and told["decoder"] == mine["decoder"]
