"""What a run will be: trained parameters counted as they are, memory that grows with what takes it,
and rows shown as the model sees them."""

import dataclasses

import pytest

from tests.tiny import tiny_model, tiny_prompt
from tests.unit.test_training import EXAMPLES, PACKS, PROMPT, RECIPE
from trainer.model import make_trainable
from trainer.order import Order
from trainer.plan import _shown, memory_gb
from trainer.recipe import MATRICES, Recipe
from trainer.rows import make_packs
from trainer.shape import Shape

TINY = Shape(
    layers=2, width=32, inner=64, queries=32, keys=16, vocabulary=len(PROMPT.tokenizer)
)  # as tests.tiny makes it
GEMMA = Shape(layers=18, width=640, inner=2048, queries=1024, keys=256, vocabulary=262_144)


@pytest.mark.parametrize("matrices", MATRICES)
def test_trained_parameters_are_counted_as_they_are(matrices):
    recipe = dataclasses.replace(RECIPE, matrices=matrices)
    model = make_trainable(tiny_model(len(PROMPT.tokenizer)), recipe)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    norms = 5 * TINY.width if matrices == "full" else 0  # too few to count
    assert TINY.trained(recipe) == trained - norms


def test_the_shipped_adapter_is_as_large_as_the_plan_says():
    assert GEMMA.trained(Recipe(rank=16)) == 3_796_992


@pytest.mark.parametrize(
    "less, more",
    [
        ({"checkpointing": True}, {}),
        ({"quantised": True}, {}),
        ({}, {"matrices": "full"}),
        ({"rank": 8}, {"rank": 256}),
    ],
)
def test_memory_grows_with_what_takes_it(less, more):
    small, large = (
        memory_gb(Recipe(**kind), GEMMA, 2000, 0, "quantised" in kind) for kind in (less, more)
    )
    assert small < large


def test_memory_grows_with_the_batch():
    assert memory_gb(Recipe(), GEMMA, 500) < memory_gb(Recipe(), GEMMA, 5000)


def test_a_row_is_shown_as_the_model_sees_it_and_only_its_answer_counts():
    shown = _shown(PROMPT.tokenizer, PACKS[0], 0)
    row = PACKS[0].rows[0]
    assert len(shown.tokens) == len(shown.counts)
    assert sum(shown.counts) == len(row.answer) and all(shown.counts[-len(row.answer) :])
    masked = dataclasses.replace(EXAMPLES[0], fields=("meaning",))
    (pack,) = make_packs([masked], tiny_prompt())
    assert 0 < sum(_shown(PROMPT.tokenizer, pack, 0).counts) < len(pack.rows[0].answer)


def test_steps_are_what_the_recipe_says_or_its_epochs():
    assert Order(dataclasses.replace(RECIPE, steps=7), PACKS).steps == 7
    batches = len(Order(RECIPE, PACKS).batches_of(0))
    assert Order(dataclasses.replace(RECIPE, epochs=2.0), PACKS).steps == 2 * batches
    halved = dataclasses.replace(RECIPE, epochs=2.0, accumulation=2)
    assert Order(halved, PACKS).steps == batches
