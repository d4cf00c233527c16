"""The shipped adapter in smaller forms, through the same code as readers' answers: read back it is
the same, what it answers follows the rules and hangs on no order, the model beside it stays what it
was, and mostly it says what that model says. Two forms; with the long counts all that are made.
"""

import asyncio
import random
from dataclasses import replace

import pytest
import torch

from engine.adapters import merged
from engine.bench.sides import read_cases
from engine.branches import Runner
from engine.checking import read_adapter
from engine.decoding import SenseDecoder
from engine.engine import load_engine
from engine.forms import AWARE, FormError, form_folder, parse_form, save_form, shrink, write_told
from engine.lookup import Lookup
from engine.memory import give_back
from engine.models import load_base
from engine.sense import CLASSES, Query
from engine.settings import Settings, assets
from engine.views import views
from tests.real import fresh_home, soak
from trainer.distil.quantise_calibrate import input_scales, loudness
from trainer.distil.quantise_run import DEFAULT
from trainer.distil.quantise_smooth import smoothed
from trainer.evaluate import answer_contexts
from trainer.examples import Example

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
FORMS = [
    name
    for name in (DEFAULT if soak() else ("int8-rows8", "int4-rows4"))
    if not parse_form(name).missing
]
LEFT = 18  # matrices of a mixed form that stay as they are: here any, a run chooses the dearest
FEW = 4  # views, where all of them would take long
PASSED = {"fit": True, "reason": ""}


@pytest.fixture(scope="module")
def cut():
    cases = read_cases(assets() / "datasets" / "en-zh-gold", 8)
    return [view for case in cases for view in views(case.query.context, "en-zh")]


@pytest.fixture(scope="module")
def whole(engine, cut):
    """What the model itself answers, before any form was near it."""
    return [engine.answer(view) for view in cut]


def make(model, name, loudest):
    """A form's description and tensors. Of `-aware` its making alone: nothing is trained here."""
    form = replace(parse_form(name), aware=name.endswith(AWARE))
    if "-mixed" in name:
        form = replace(form, plain=tuple(sorted(loudest)[:LEFT]))
    if form.smooth:
        model = smoothed(model, loudest)
    return form, shrink(model, form, input_scales(loudest))


def heard(model, engine, cut, whole):
    """How loud inputs are on the first few views."""
    decoder = SenseDecoder(
        Runner(model), engine.decoder.prompt, engine.decoder.books,
        engine.decoder.threshold, engine.decoder.favour,
    )  # fmt: skip
    examples = [
        Example(Query(view.text, position), answer.sense, "")
        for view, answers in list(zip(cut, whole))[:FEW]
        for position, answer in zip(view.asked, answers, strict=True)
    ]
    return loudness(model, decoder, examples)


@pytest.fixture(scope="module")
def home(models_home, engine, cut, whole, tmp_path_factory):
    """A home with the forms, made of the shipped adapter and said to have passed."""
    home = fresh_home(tmp_path_factory.mktemp("forms"), models_home)
    settings = Settings(home=home, device="cpu", dtype="bfloat16")
    base, adapter = load_base(settings), read_adapter(settings.adapter_folder)
    model = merged(base, adapter)
    loudest = heard(model, engine, cut, whole) if soak() else {}
    for name in FORMS:
        form, tensors = make(model, name, loudest)
        folder, of = form_folder(home, adapter.version, name), f"{base.name}@{base.revision}"
        told = save_form(folder, model.config, form, tensors, of, adapter.version)
        write_told(folder, replace(told, gate=PASSED))
    return home


@pytest.fixture(scope="module", params=FORMS)
def served(request, home):
    yield load_engine(Settings(home=home, form=request.param))
    give_back()


@pytest.fixture(scope="module")
def said(served, cut):
    """What the form answers to each view."""
    return [served.answer(view) for view in cut]


def least(form: str) -> float:
    """Of a form's meanings those that are the model's own, at least."""
    return 0.7 if form.startswith(("int4", "nf4")) else 0.85


def test_its_answers_follow_the_rules_and_mostly_stay(served, said, whole):
    same = words = 0
    for answers, others in zip(said, whole, strict=True):
        for mine, other in zip(answers, others, strict=True):
            assert mine.sense.word_class in CLASSES and mine.sense.meaning
            assert 0 <= mine.confidence <= 1
            if mine.sense.phrase:
                members = mine.sense.phrase.members
                assert members == tuple(sorted(set(members))) and len(members) > 1
            same, words = same + (mine.sense.meaning == other.sense.meaning), words + 1
    print(f"{served.form}: {same} of {words} meanings stay")
    assert words > 60 and same >= least(served.form) * words


def test_every_member_of_a_phrase_says_the_same_phrase(said, cut):
    for view, mine in zip(cut, said, strict=True):
        answers = dict(zip(view.asked, mine, strict=True))
        for answer in answers.values():
            if phrase := answer.sense.phrase:
                others = [answers[i].sense.phrase for i in phrase.members if i in answers]
                assert all(one and one.members == phrase.members for one in others)


def test_loaded_again_and_asked_in_another_order_it_says_the_same_bit_for_bit(
    served, said, cut, home
):
    again = load_engine(Settings(home=home, form=served.form))
    assert again.id == served.id
    for engine in (again, served):
        assert [engine.answer(view) for view in reversed(cut[:FEW])] == said[:FEW][::-1]


def test_words_clicked_one_by_one_in_any_order_are_those_of_the_passage(served, said, cut):
    asked = [Query(view.text, position) for view in cut[:FEW] for position in view.asked]

    async def click(lookup, order):
        return {query: await lookup.answer(query) for query in order}

    lookup = Lookup(lambda progress: served)
    lookup.start()
    found = asyncio.run(click(lookup, random.Random(1).sample(asked, len(asked))))
    lookup.close()
    assert [found[query] for query in asked] == [one for answers in said[:FEW] for one in answers]


def test_the_model_beside_it_stays_what_it_was(engine, served, cut, whole):
    served.answer(cut[0])
    assert [engine.answer(view) for view in cut[:FEW]] == whole[:FEW]
    assert served.id != engine.id and "CTX_FORM=" in served.detail


def test_sentences_side_by_side_are_mostly_what_each_is_alone(served, said, cut):
    """Rows share a product, whose rounding hangs on how many they are; with `int8-dynamic` they
    share a scale, too."""
    asked = [(view.text, "en-zh", view.asked) for view in cut]
    together = answer_contexts(served.decoder, asked)
    pairs = [
        (answers[position].sense.meaning, alone.sense.meaning)
        for view, mine, answers in zip(cut, said, together, strict=True)
        for position, alone in zip(view.asked, mine, strict=True)
    ]
    same = sum(a == b for a, b in pairs)
    print(f"{served.form}: {same} of {len(pairs)} meanings side by side are those alone")
    assert same >= 0.9 * len(pairs)


def test_a_form_that_did_not_pass_is_refused(home):
    settings = Settings(home=home, form="int4-rows4")
    folder = form_folder(home, read_adapter(settings.adapter_folder).version, "int4-rows4")
    text = (folder / "form.json").read_text()
    try:
        (folder / "form.json").write_text(text.replace('"fit": true', '"fit": false'))
        with pytest.raises(FormError, match="did not pass"):
            load_engine(settings)
    finally:
        (folder / "form.json").write_text(text)
