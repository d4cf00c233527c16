"""Models side by side over one base: each answers as alone; what stays loaded; what they write."""

import time
from pathlib import Path

import pytest
import torch

from engine.engine import make_engine
from engine.raw import Ask, whole_answer, write_raw
from engine.sense import Phrase, Sense, ask
from engine.settings import Settings
from engine.views import AT_ONCE, views
from engine.workbench import MOST_MODELS, Workbench, deal
from tests.tiny import tiny_base, tiny_model, tiny_prompt
from trainer.free import write_freely
from trainer.model import make_trainable, save_adapter
from trainer.recipe import Recipe

PROMPT = tiny_prompt()
RECIPE = Recipe(rank=4, alpha=8, dropout=0.0)
CONTEXTS = ["I call Tom back", "the dog saw Tom in the bed"]
QUERY = ask("I call Tom back", "back")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    made = []
    for seed in range(MOST_MODELS + 2):
        model = make_trainable(tiny_model(len(PROMPT.tokenizer)), RECIPE)
        torch.manual_seed(seed)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.data.normal_(std=0.3)
        made.append(tmp_path_factory.mktemp("adapter") / str(seed))
        save_adapter(model, RECIPE, made[-1])
    return made


class Loads:
    """Counts how often the base is loaded."""

    def __init__(self):
        self.count = 0

    def __call__(self, settings, progress):
        self.count += 1
        progress(1.0)
        return tiny_base()


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def bench(tmp_path, loads):
    bench = Workbench(Settings(home=tmp_path), loads)
    yield bench
    bench.close()


def test_each_model_answers_as_it_does_alone(bench, loads, folders):
    told: list[float] = []
    chosen = [None, folders[0]]
    found = bench.answers(chosen, [(text, None) for text in CONTEXTS], progress=told.append)
    for folder, contexts in zip(chosen, found):
        alone = make_engine(tiny_base(), folder)
        for text, answers in zip(CONTEXTS, contexts):
            plain = [one for view in views(text, "en-zh") for one in alone.answer(view)]
            assert [answers[i].sense for i in sorted(answers)] == [one.sense for one in plain]
            assert {one.engine for one in answers.values()} == {alone.id}
    assert loads.count == 1 and told[-1] == 1.0 and told == sorted(told)


def test_only_what_is_asked_for_is_answered(bench, folders):
    ((first, second),) = bench.answers([folders[0]], [(CONTEXTS[0], [1, 3]), (CONTEXTS[1], [])])
    assert set(first) == {1, 3} and second == {}


def test_batches_on_all_cores_answer_as_one_does(tmp_path, loads, folders, monkeypatch):
    asked = [(text, None) for text in (*CONTEXTS, "call me", "Tom saw the dog and the bed")]
    one = Workbench(Settings(home=tmp_path), loads)
    plain = one.answers([folders[0]], asked)
    one.close()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    all_cores = Workbench(Settings(home=tmp_path), loads, busy=True)
    ((*found,),) = all_cores.answers([folders[0]], asked)
    all_cores.close()
    for mine, other in zip(plain[0], found, strict=True):
        assert {i: a.sense for i, a in mine.items()} == {i: a.sense for i, a in other.items()}


@pytest.mark.parametrize(
    "count, size", [(1, 2), (25, 2), (64, 2), (65, 2), (89, 1), (7, 3), (0, 2)]
)
def test_each_thread_gets_as_much_to_do(count, size):
    parts = [(number, views("the dog", "en-zh")[0], {0}) for number in range(count)]
    batches = deal(parts, size)
    assert [part for batch in batches for part in batch] == parts
    sizes = [len(batch) for batch in batches]
    assert all(0 < one <= AT_ONCE for one in sizes)
    assert len(sizes) == count or len(sizes) % size == 0
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_the_least_used_adapter_goes_and_the_base_is_loaded_once(bench, loads, folders):
    for folder in (*folders, folders[0]):
        bench.answers([folder], [(CONTEXTS[0], [1])])
        bench.write([None, folder], [QUERY], most=2)
    assert loads.count == 1
    assert len(bench._engines) == MOST_MODELS and len(bench._names) == MOST_MODELS
    assert set(bench._tuned.peft_config) == set(bench._names.values())


def test_more_models_than_stay_write_in_one_batch(bench, folders):
    alone = [bench.write([folder], [QUERY], most=6)[0] for folder in folders]
    assert len(alone) == MOST_MODELS + 2
    assert bench.write(folders, [QUERY], most=6) == alone
    bench.write([None, folders[0]], [QUERY], most=2)
    assert len(bench._names) == MOST_MODELS


def test_the_base_writes_alone_what_it_writes_beside_an_adapter(bench, folders):
    (alone,) = bench.write([None], [QUERY], most=12)
    assert bench.write([None, folders[0]], [QUERY], most=12)[0] == alone


def test_what_was_loaded_before_is_not_loaded_when_it_is_asked(bench, loads, folders):
    bench.load([folders[0]])
    assert loads.count == 1 and list(bench._engines) == [(folders[0], "en-zh")]
    (engine,) = bench._engines.values()
    bench.answers([folders[0]], [(CONTEXTS[0], [1])])
    assert bench._engines[folders[0], "en-zh"] is engine


def test_tokens_are_those_of_the_answer_as_the_model_writes_it(bench, folders):
    sense = Sense("adverb", "回", Phrase((1, 3), "回电话"))
    # adverb | call | back | bar, 回 | bar, 回 | 电话 | end, words by the character
    written = 1 + len(" call back") + 1 + 2 + 3
    assert bench.count_tokens(folders[0], [(QUERY, sense)] * 2) == [written] * 2


def test_everything_is_given_back_after_a_while_and_loaded_again(tmp_path, loads, folders):
    bench = Workbench(Settings(home=tmp_path), loads, idle=0.05)
    before = bench.answers([folders[0]], [(CONTEXTS[0], None)])
    end = time.monotonic() + 20
    while bench.is_loaded and time.monotonic() < end:
        time.sleep(0.02)
    assert not bench.is_loaded
    assert bench.answers([folders[0]], [(CONTEXTS[0], None)]) == before and loads.count == 2
    bench.close()


def test_one_batch_writes_what_each_model_writes_alone(bench, folders):
    queries = [QUERY, ask(CONTEXTS[1], "dog"), ask("I call", "I")]
    base, first, second = bench.write([None, *folders[:2]], queries, most=12)
    alone = write_freely(tiny_base().model, PROMPT, queries, 12)
    for one, plain in zip(base, alone):
        assert one.text.split("\n")[0].strip() == plain.text.split("\n")[0].strip()
    assert base != first and first != second
    for one in (*base, *first, *second):
        assert one.ended or one.tokens == 12
        assert one.over == 0 or not one.ended


@pytest.mark.parametrize(
    "text, answer",
    [
        (" adverb call back|回|回电话", " adverb call back|回|回电话"),
        (" adverb|回", " adverb|回"),
        (" adverb|回。And then he said", " adverb|回"),
        (" noun|back", " noun|back"),
        (" adverb call back|回", ""),
        (" adverb call me|回|回电话", " adverb call me|回|回电话"),
        (" The call was", ""),
        ("", ""),
    ],
)
def test_a_whole_answer_is_told_from_what_stands_behind_it(text, answer):
    assert text[: whole_answer(QUERY, text)] == answer


class Scripted:
    """A model that writes what it was told to, whatever stands before; has no weights."""

    device = torch.device("cpu")
    config, peft_config = tiny_model(8).config, {}

    def __init__(self, rows: list[list[int]]):
        self.rows, self.step = rows, 0

    def __call__(self, input_ids, adapter_names, **_):
        assert len(adapter_names) == len(input_ids)
        logits = torch.zeros(len(input_ids), 1, 200)
        for row, name in enumerate(adapter_names):
            script = self.rows[int(name)]
            logits[row, 0, script[min(self.step, len(script) - 1)]] = 1.0
        self.step += 1
        return type("Out", (), {"logits": logits})()


class Spelled:
    """A tokenizer of characters."""

    letters = " adverb|回\ncallIk说x"

    def ids(self, text: str) -> list[int]:
        return [self.letters.index(c) for c in text]

    def decode(self, tokens, **_) -> str:
        return "".join(self.letters[i] for i in tokens)


def test_an_end_counts_behind_a_whole_answer_only():
    spelled = Spelled()
    texts = [" adverb|回\n", "\nvx\n\n" + "x" * 30, " adverb|回 x\n" + "x" * 30]
    texts.append(" adverb call k|回|回说\n")
    asked = [Ask((0, 1), str(number), QUERY) for number in range(len(texts))]
    end = spelled.letters.index("\n")
    rows = [spelled.ids(text) for text in texts]
    told: list[float] = []
    found = write_raw(Scripted(rows), spelled, asked, frozenset({end}), 20, told.append)
    good, never, on, wrong = found
    assert (good.text, good.tokens, good.ended, good.over) == (" adverb|回", 9, True, 0)
    assert good.valid and told[-1] == 1.0 and told == sorted(told)
    assert (never.tokens, never.ended, never.answer, never.over) == (20, False, 0, 20)
    assert (on.tokens, on.ended, on.text[: on.answer]) == (20, False, " adverb|回")
    assert on.over == 11
    assert wrong.ended and not wrong.valid  # its phrase does not stand in the sentence
