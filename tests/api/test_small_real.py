"""The small model that ships, made from the embedded base and served: it is what its card says it
is, answers much as the whole model does, and is made once.
"""

import pytest
import torch

from engine.bench.sides import read_cases
from engine.checking import read_adapter
from engine.engine import load_engine
from engine.forms import WEIGHTS, form_folder, read_told
from engine.sense import CLASSES
from engine.settings import SMALL, Settings, assets
from engine.small import small_assets
from engine.views import views
from tests.real import small_home

pytestmark = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()),
    reason="oneDNN does not multiply bfloat16 on this machine",
)
HALF = 268_098_176  # bytes: half of the embedded base in bfloat16


@pytest.fixture(scope="module")
def settings(made_small, tmp_path_factory):
    return Settings(home=small_home(tmp_path_factory.mktemp("small"), made_small), form=SMALL)


@pytest.fixture(scope="module")
def small(settings):
    return load_engine(settings)


def test_it_answers_much_as_the_whole_model_does(engine, small):
    words = classes = meanings = 0
    for case in read_cases(assets() / "datasets" / "en-zh-gold", 8):
        for view in views(case.query.context, "en-zh"):
            for mine, whole in zip(small.answer(view), engine.answer(view), strict=True):
                assert mine.sense.word_class in CLASSES and mine.sense.meaning
                words += 1
                classes += mine.sense.word_class == whole.sense.word_class
                meanings += mine.sense.meaning == whole.sense.meaning
    print(f"of {words} words {classes} classes and {meanings} meanings are the whole model's")
    assert words > 60 and classes >= 0.9 * words and meanings >= 0.7 * words


def test_it_is_what_its_card_says_and_is_made_once(settings, small):
    shipped = read_told(small_assets())
    folder = form_folder(settings.home, shipped.adapter, SMALL)
    told = read_told(folder)
    assert told.gate == shipped.gate and told.gate["fit"]
    assert (
        small.title == read_adapter(small_assets()).card.name and "CTX_FORM=small" in small.detail
    )
    file = folder / WEIGHTS
    assert file.stat().st_size < HALF
    before = file.stat().st_mtime_ns
    assert load_engine(settings).id == small.id and file.stat().st_mtime_ns == before
    assert [one.name for one in folder.parent.iterdir() if "new" in one.name] == []
