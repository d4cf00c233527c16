"""The embedding score on the real base: near for the same in other words, far for other things."""

from __future__ import annotations

from engine.models import load_base
from engine.settings import Settings
from trainer.evaluation.embedding import base_vectors
from trainer.evaluation.texts import EMBEDDING, TextRow, Texts

SAID = (
    ("今天天气很好。", "今天的天气不错。", "我把钥匙忘在家里了。"),
    ("他推迟了会议。", "他把会议延期了。", "她喜欢吃苹果。"),
    ("警方正在调查火灾的原因。", "警察在查起火原因。", "火车下午三点出发。"),
)


def figures_of(rows, vectors):
    return Texts([rows], "zh", vectors).figures(0)


def test_the_same_said_otherwise_is_nearer_than_something_else(models_home):
    vectors = base_vectors(load_base(Settings(home=models_home)))
    equal, alike, other = (
        figures_of(
            [TextRow(row[0], row[0], row[n]) for row in SAID], vectors=vectors
        )[EMBEDDING]["value"]
        for n in range(3)
    )  # fmt: skip
    assert equal > 0.999 and alike > 0.6 and other < 0.4
    assert len(vectors("")) == 0
