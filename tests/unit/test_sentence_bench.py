"""Sentences by several models beside each other: each writes what it writes alone, those over the
base in one batch; what is loaded and given back."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import together
from engine.adapters import linear_sizes, open_adapter
from engine.alone import load_translator
from engine.checking import BaseShape, read_adapter
from engine.settings import Settings
from engine.translation import TaggedPrompt, TranslationPrompt, translate_all
from engine.translator import read_translator
from engine.workbench import Workbench
from tests.made_adapters import make_adapter
from tests.tiny_scratch import tiny_translator
from tests.unit.test_translations import ending_base

TEXTS = ["the dog saw Tom", "I call Tom back in the bed", "Tom"]


@pytest.fixture
def base():
    return ending_base()


@pytest.fixture
def folders(base, tmp_path):
    """Two adapters for en-es over the base, asked in different styles."""
    shape = BaseShape("tiny", "1", linear_sizes(base.model))
    return [
        make_adapter(tmp_path / style, shape, seed=seed, pair="en-es", style=style, strength=0.3)
        for seed, style in enumerate(("long", "short"))
    ]


@pytest.fixture
def bench(base, tmp_path):
    loads = []
    bench = Workbench(
        Settings(home=tmp_path / "home", dtype="float32"),
        lambda settings, progress: loads.append(1) or base,
    )
    bench.loads = loads
    yield bench
    bench.close()


def alone(model, base, style):
    return translate_all(model, TranslationPrompt(base.tokenizer, style), TEXTS, "en-es")


def test_each_writes_what_it_writes_alone_and_all_in_one_batch(base, bench, folders, monkeypatch):
    batches = []
    mixed = together.Mixed.__init__

    def counted(self, residents, adapters, prompts):
        batches.append(len(prompts))
        mixed(self, residents, adapters, prompts)

    monkeypatch.setattr(together.Mixed, "__init__", counted)
    bare, first, second = bench.translate([None, *folders], TEXTS, "en-es")
    assert batches == [3 * len(TEXTS)] and bench.loads == [1]
    assert bare == alone(base.model, base, "long"), "the base is asked as the first adapter is"
    for folder, style, found in zip(folders, ("long", "short"), (first, second)):
        fresh = ending_base()
        tuned = open_adapter(fresh.model, read_adapter(folder), fresh, "alone")
        assert found == alone(tuned, base, style)
    assert [one.text for one in first] != [one.text for one in bare]


def test_a_translator_without_a_base_loads_none(bench, folders, tmp_path):
    made = [tiny_translator(tmp_path / f"own-{seed}", seed) for seed in range(3)]
    found = bench.translate([one.folder for one in made[:2]], ["Ein Hund."], "de-en")
    assert bench.loads == [] and bench.is_loaded
    for one, (written,) in zip(made, found):
        whole = read_translator(one.folder)
        mine = load_translator(whole, Settings(home=tmp_path, dtype="float32"))
        (wanted,) = translate_all(mine.model, TaggedPrompt(mine.tokenizer), ["Ein Hund."], "de-en")
        assert written == wanted
    bench.translate([made[2].folder], ["Ein Hund."], "de-en")
    assert len(bench._sentences._alone) == 2, "the one that was used least goes"
    bench.close()
    assert not bench.is_loaded


def test_progress_is_told_to_its_end(bench, tmp_path):
    told = []
    made = tiny_translator(tmp_path / "own")
    bench.translate([None, made.folder], ["Ein Hund."], "de-en", told.append)
    assert told == sorted(told) and told[-1] == 1.0


def test_two_people_at_once_get_each_their_own(base, bench, folders):
    alone = [bench.translate([folder], TEXTS, "en-es")[0] for folder in folders]
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(bench.translate, [folder], TEXTS, "en-es") for folder in folders * 3]
        assert [one.result()[0] for one in asked] == alone * 3
    assert bench.loads == [1]
