"""The shipped adapter in smaller forms, through the same code as readers' answers: read back it is
the same, what it answers follows the rules, and mostly it says what the model itself says.
"""

from dataclasses import replace

import pytest
import torch

from engine.adapters import merged
from engine.bench.sides import read_cases
from engine.checking import read_adapter
from engine.engine import load_engine
from engine.forms import FormError, form_folder, parse_form, save_form, shrink, write_told
from engine.models import load_base
from engine.sense import CLASSES
from engine.settings import Settings, assets
from engine.views import views
from tests.real import fresh_home

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
FORMS = {"int8-rows8": 0.9, "int4-rows4": 0.7}  # and how many meanings stay, at least
PASSED = {"fit": True, "reason": ""}


@pytest.fixture(scope="module")
def cut():
    cases = read_cases(assets() / "datasets" / "en-zh-gold", 8)
    return [view for case in cases for view in views(case.query.context, "en-zh")]


@pytest.fixture(scope="module")
def home(models_home, tmp_path_factory):
    """A home with both forms, made of the shipped adapter and said to have passed."""
    home = fresh_home(tmp_path_factory.mktemp("forms"), models_home)
    settings = Settings(home=home, device="cpu", dtype="bfloat16")
    base, adapter = load_base(settings), read_adapter(settings.adapter_folder)
    model = merged(base, adapter)
    for name in FORMS:
        form, folder = parse_form(name), form_folder(home, adapter.version, name)
        tensors = shrink(model, form)
        of = f"{base.name}@{base.revision}"
        told = save_form(folder, model.config, form, tensors, of, adapter.version)
        write_told(folder, replace(told, gate=PASSED))
    return home


@pytest.fixture(scope="module", params=FORMS)
def served(request, home):
    return load_engine(Settings(home=home, form=request.param)), FORMS[request.param]


def test_its_answers_follow_the_rules_and_mostly_stay(engine, served, cut):
    form, least = served
    same = words = 0
    for view in cut:
        for mine, whole in zip(form.answer(view), engine.answer(view), strict=True):
            assert mine.sense.word_class in CLASSES and mine.sense.meaning
            assert 0 <= mine.confidence <= 1
            if mine.sense.phrase:
                members = mine.sense.phrase.members
                assert members == tuple(sorted(set(members))) and len(members) > 1
            same, words = same + (mine.sense.meaning == whole.sense.meaning), words + 1
    print(f"{form.id}: {same} of {words} meanings stay")
    assert words > 60 and same >= least * words


def test_every_member_of_a_phrase_says_the_same_phrase(served, cut):
    form, _ = served
    for view in cut:
        answers = dict(zip(view.asked, form.answer(view), strict=True))
        for answer in answers.values():
            if phrase := answer.sense.phrase:
                others = [answers[i].sense.phrase for i in phrase.members if i in answers]
                assert all(one and one.members == phrase.members for one in others)


def test_asked_again_it_says_the_same_bit_for_bit(served, cut, home):
    form, _ = served
    again = load_engine(Settings(home=home, form=form.id.split("/")[-1].rsplit("-", 1)[0]))
    assert again.id == form.id
    for view in cut[:4]:
        assert again.answer(view) == form.answer(view) == form.answer(view)


def test_answers_of_a_form_are_not_taken_for_the_models_own(engine, served):
    form, _ = served
    assert form.id != engine.id and "CTX_FORM=" in form.detail


def test_a_form_that_did_not_pass_is_refused(home, served):
    settings = Settings(home=home, form="int4-rows4")
    folder = form_folder(home, read_adapter(settings.adapter_folder).version, "int4-rows4")
    text = (folder / "form.json").read_text()
    try:
        (folder / "form.json").write_text(text.replace('"fit": true', '"fit": false'))
        with pytest.raises(FormError, match="did not pass"):
            load_engine(settings)
    finally:
        (folder / "form.json").write_text(text)
