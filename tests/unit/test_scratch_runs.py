"""Runs from nothing on a tiny text: through the command to a translation, the same after a stop,
and refused before time is spent where they cannot be right.
"""

import argparse
import gzip
import json
import random
import shutil
import signal
import sys

import pytest
import torch
from sacrebleu.metrics import CHRF

from engine.settings import Settings
from trainer import __main__ as trainer_main
from trainer.fields import RecipeError
from trainer.scratch.command import add_scratch
from trainer.scratch.errors import ScratchError
from trainer.scratch.folder import load_model
from trainer.scratch.recipe import load_scratch, parse_scratch, save_scratch
from trainer.scratch.run import Place, finetune, make_tokenizer, pretrain
from ui.strings import STRINGS

NOUNS = {"Hund": "dog", "Mann": "man", "Vogel": "bird", "Junge": "boy", "Bäcker": "baker"}
VERBS = {"schläft": "sleeps", "wartet": "waits", "lacht": "laughs", "singt": "sings"}
PLACES = {"in dem Garten": "in the garden", "auf der Brücke": "on the bridge", "im Haus": "at home"}
PAIRS = [
    (f"Der {a} {b} heute wieder {c}.", f"The {d} {e} again today {f}.")
    for a, d in NOUNS.items()
    for b, e in VERBS.items()
    for c, f in PLACES.items()
]
SMALL = {
    "vocabulary": 366, "width": 32, "layers": 2, "heads": 2, "kv_heads": 1, "ffn": 64,
    "dropout": 0.0, "positions": 96,
}  # fmt: skip
STEPS = {
    "steps": 6, "tokens": 600, "rate": 5e-3, "evaluate_every": 3, "dev_rows": 8, "guard_rows": 4,
    "average": 0.5,
}  # fmt: skip


def recipe_data(**changes):
    return {
        "name": "tiny", "train": ["a.de", "a.en"], "dev": ["b.de", "b.en"],
        "test": ["b.de", "b.en"],
        "model": SMALL, "pretrain": STEPS, "finetune": STEPS,
    } | changes  # fmt: skip


def write_texts(folder, pairs=PAIRS):
    for name, mine in (("a", pairs), ("b", pairs[::7])):
        for number, language in enumerate(("de", "en")):
            text = "\n".join(pair[number] for pair in mine)
            (folder / f"{name}.{language}").write_text(text + "\n", encoding="utf-8")


@pytest.fixture
def texts(tmp_path):
    write_texts(tmp_path)
    return tmp_path


def place(folder, name="run", stop_at=None, **changes):
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) == stop_at

    events = []
    settings = Settings(home=folder, dtype="float32")
    recipe = parse_scratch(recipe_data(**changes))
    made = Place(recipe, folder, folder / name, settings, events.append, stopped)
    return made, events


def test_the_command_makes_a_translator_and_translates(texts, monkeypatch, capsys):
    """Every step in turn; most of the few sentences is learnt by heart."""
    longer = STEPS | {"steps": 150, "evaluate_every": 75, "rate": 1e-2}
    clean = [f"clean/train.{language}.txt" for language in ("de", "en")]
    file = texts / "recipe.json"
    file.write_text(json.dumps(recipe_data(train=clean, finetune=longer)), encoding="utf-8")
    monkeypatch.setenv("CTX_HOME", str(texts))
    monkeypatch.setenv("CTX_DTYPE", "float32")
    monkeypatch.setattr(trainer_main, "_give_way", lambda: None)
    monkeypatch.setattr("trainer.scratch.command.watch_signals", lambda: lambda: False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["trainer", "scratch", *map(str, arguments)])
        assert trainer_main.main() == 0
        return capsys.readouterr().out.splitlines()

    raw = [texts / "a.de", texts / "a.en"]
    told = ("--languages", "de-en", "--similar", "0", "--no-held-out")
    assert run("corpus", texts / "clean", *raw, *told)[-1].startswith("60 of 60 rows")
    for step in ("tokenizer", "pretrain", "finetune"):
        assert run(step, file)[-1].startswith("done: ")
    model = texts / "runs" / "tiny" / "finetune" / "model"
    asked = [PAIRS[0][0], PAIRS[-1][0], ""]
    *said, nothing = run("translate", model, *asked, "--beams", 2)
    assert run("translate", model, "--beams", 2, *asked) == [*said, nothing]
    assert run("translate", "--beams", 2, model, *asked) == [*said, nothing]
    assert CHRF().corpus_score(said, [[PAIRS[0][1], PAIRS[-1][1]]]).score > 60 and not nothing
    card = json.loads((model / "card.json").read_text())
    assert card["pair"] == "de-en" and card["start"] == "pretrain"
    assert card["data"][0]["lines"] == len(PAIRS) and card["dev"]["bleu"] > 40
    draws = [run("translate", model, *asked, "--sample", "--seed", n) for n in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    cold = run("translate", model, *asked, "--sample", "--temperature", 1e-4)
    assert cold == run("translate", model, *asked, "--beams", 1)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder in which nothing is learnt but holes."""
    folder = tmp_path_factory.mktemp("begun")
    write_texts(folder)
    pretrain(place(folder)[0])
    return folder / "run" / "pretrain" / "model"


@pytest.mark.parametrize(
    "options, phase, code, named",
    [
        (["--beams", "0"], "finetune", "bad_recipe", "beams = 0"),
        (["--beams", "-2"], "finetune", "bad_recipe", "beams = -2"),
        (["--sample", "--top-p", "0"], "finetune", "bad_recipe", "top-p = 0"),
        (["--sample", "--temperature", "0"], "finetune", "bad_recipe", "temperature = 0"),
        ([], "pretrain", "only_pretrained", "only pre-trained"),
        ([], "torn", "not_whole", r"tokenizer\.json is not whole"),
    ],
)
def test_what_cannot_be_translated_with_is_said(begun, tmp_path, options, phase, code, named):
    model = shutil.copytree(begun, tmp_path / "model")
    card = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(card | {"phase": phase}))
    if phase == "torn":
        (model / "tokenizer.json").write_text('{"version": "1.0", "trunc')
    arguments = parsed("translate", str(model), "Ein Hund.", *options)
    with pytest.raises(ScratchError, match=named) as error:
        arguments.command(arguments)
    assert error.value.code == code


def test_signals_are_watched_in_a_run_and_end_everything_else_as_ever(texts, monkeypatch):
    file, installed = texts / "recipe.json", []
    file.write_text(json.dumps(recipe_data()), encoding="utf-8")
    monkeypatch.setenv("CTX_HOME", str(texts))
    monkeypatch.setenv("CTX_DTYPE", "float32")
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]

    def watched():
        installed.append(True)
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: None)
        return lambda: len(installed) == 2

    monkeypatch.setattr("trainer.scratch.command.watch_signals", watched)
    monkeypatch.setattr("trainer.scratch.report.assets", lambda: texts)

    def run(*given):
        arguments = parsed(*given, str(file))
        code = arguments.command(arguments)
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
        return code

    assert run("tokenizer") == 0 and not installed
    assert run("finetune", "--start", "random") == 0 and len(installed) == 1
    assert run("report") == 0 and len(installed) == 1
    assert run("pretrain") == 130 and len(installed) == 2


@pytest.mark.parametrize(
    "given",
    ["MODEL a b --beams 2", "MODEL --beams 2 a b", "--beams 2 MODEL a b", "MODEL a --beams 2 b",
     "--beams=2 MODEL -- a b"],
)  # fmt: skip
def test_options_may_stand_anywhere_among_texts(given):
    found = parsed("translate", *given.split())
    assert (str(found.model), found.texts, found.beams) == ("MODEL", ["a", "b"], 2)


def test_texts_that_look_like_options_stand_behind_two_dashes_and_none_is_none():
    assert parsed("translate", "--beams", "1", "MODEL", "--", "--beams").texts == ["--beams"]
    assert parsed("translate", "MODEL", "--beams", "1").texts == []


@pytest.mark.parametrize(
    "given, told",
    [(["translate"], "MODEL"), (["translate", "MODEL", "--beam", "x"], "invalid int"),
     (["translate", "MODEL", "--other"], "unrecognized"), (["finetune"], "RECIPE.json")],
)  # fmt: skip
def test_what_lacks_or_is_too_much_is_said(given, told, capsys):
    with pytest.raises(SystemExit):
        parsed(*given)
    assert told in capsys.readouterr().err


def parsed(*given):
    parser = argparse.ArgumentParser()
    add_scratch(parser.add_subparsers(required=True))
    return parser.parse_args(["scratch", *given])


@pytest.mark.parametrize("phase", ["pretrain", "finetune"])
def test_stopped_and_resumed_is_the_same_as_never_stopped(texts, phase):
    def run(one):
        return pretrain(one) if phase == "pretrain" else finetune(one, "random")

    dropped = {"model": SMALL | {"dropout": 0.3}}
    whole, told = place(texts, "whole", **dropped)
    made = run(whole)
    parts, before = place(texts, "parts", stop_at=4, **dropped)
    assert run(parts) is None
    again, after = place(texts, "parts", **dropped)
    other = run(again)
    left, right = load_model(made).net.state_dict(), load_model(other).net.state_dict()
    assert all(torch.equal(left[name], right[name]) for name in left)

    def losses(events):
        return [(e["step"], e["loss"]) for e in events if e["event"] == "step"]

    assert losses(told) == losses(before) + losses(after)
    assert {"event": "resumed", "step": 4} in after


def test_the_mean_of_the_weights_is_what_a_run_ends_with(texts):
    last = STEPS | {"average": 0.9, "keep": "last"}
    made = load_model(finetune(place(texts, "mean", finetune=last)[0], "random")).net
    bare = load_model(
        finetune(place(texts, "bare", finetune=last | {"average": 0.0})[0], "random")
    ).net
    assert not torch.equal(made.embed_tokens.weight, bare.embed_tokens.weight)


def test_a_run_that_is_done_is_not_done_again(texts):
    one, _ = place(texts)
    made = finetune(one, "random")
    again, events = place(texts)
    assert finetune(again, "random") == made and not events


def test_fine_tuning_goes_on_from_the_pre_trained_weights(texts):
    one, _ = place(texts)
    pretrain(one)
    finetune(one)
    finetune(one, "random")
    curves = {}
    for name in ("finetune", "random"):
        log = (one.folder / name / "log.jsonl").read_text().splitlines()
        curves[name] = [json.loads(line)["loss"] for line in log if '"event": "step"' in line]
    assert curves["finetune"][0] != curves["random"][0]


@pytest.mark.parametrize(
    "changes, named, code",
    [
        ({"train": []}, "train", "bad_recipe"),
        ({"train": ["a.de", "nowhere.en"]}, "nowhere.en; set CTX_DATA", "no_file"),
        ({"train": ["a.en", "a.de"]}, "a.en is in en, not in de", "wrong_language"),
        ({"train": ["empty.de", "a.en"]}, "empty.de is empty", "empty_corpus"),
        ({"train": ["a.de", "b.en"]}, f"{len(PAIRS)} lines", "not_aligned"),
        ({"model": SMALL | {"vocabulary": 5000}}, "vocabulary = 5000", "large_vocabulary"),
        ({"train": ["bytes.de", "a.en"]}, "bytes.de", "not_utf8"),
        ({"train": ["bad.gz", "a.en"]}, "bad.gz", "unreadable"),
    ],
)
def test_what_cannot_be_right_is_refused_before_a_step(texts, changes, named, code):
    packed = gzip.compress(random.Random(1).randbytes(9000).hex().encode())
    (texts / "bad.gz").write_bytes(packed[:3000] + bytes(900) + packed[3900:])
    (texts / "empty.de").write_text("\n\n")
    (texts / "bytes.de").write_bytes(b"\xff\xfe\x00\x81")
    one, events = place(texts, **changes)
    with pytest.raises(RecipeError, match=named) as error:
        finetune(one, "random")
    assert error.value.code == code and f"failed_{code}" in STRINGS["zh-CN"]
    assert not [e for e in events if e["event"] == "plan"]


def test_weights_of_another_config_or_tokenizer_are_refused(texts):
    pretrain(place(texts)[0])
    start = str(texts / "run" / "pretrain" / "model")
    wider, _ = place(texts, "wider", model=SMALL | {"ffn": 96})
    with pytest.raises(RecipeError, match="another config: ffn 64, not 96"):
        finetune(wider, start)
    with pytest.raises(RecipeError, match=r"another recipe \(model.ffn 64, not 96\)"):
        pretrain(place(texts, model=SMALL | {"ffn": 96})[0])
    other, _ = place(texts, "other", texts=["de:a.de"])
    make_tokenizer(other)  # where there is none yet, that of its start is taken
    with pytest.raises(RecipeError, match="another tokenizer"):
        finetune(other, start)
    smaller, _ = place(texts, model=SMALL | {"vocabulary": 360})
    with pytest.raises(RecipeError, match="a tokenizer of 366 tokens"):
        make_tokenizer(smaller)


@pytest.mark.parametrize(
    "data, named",
    [
        ({"steps": 3}, "no such field: steps"),
        ({"pretrain": {"steps": 0}}, "pretrain: steps"),
        ({"finetune": {"schedule": "wild"}}, "finetune: schedule"),
        ({"model": {"heads": 3}}, "model.width"),
        ({"pair": "de-de"}, "pair"),
        ({"train": ["one"]}, "train"),
    ],
)
def test_a_recipe_that_cannot_run_says_which_field(data, named):
    with pytest.raises(RecipeError, match=named):
        parse_scratch(data)


def test_a_recipe_is_saved_and_read_back_equal(tmp_path):
    recipe = parse_scratch(recipe_data(texts=["de:a.de"]))
    save_scratch(recipe, tmp_path / "recipe.json")
    assert load_scratch(tmp_path / "recipe.json") == recipe
