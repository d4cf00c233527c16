"""The tour's ways to end, without a model: what it prints is about its own home, and it fails where
nothing came of it.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from engine.sense import Answer, Sense
from engine.settings import Settings
from trainer import __main__ as trainer
from trainer import demo, promote

OLD, NEW = (Answer(Sense("noun", meaning), 0.9) for meaning in ("豆荚", "容器组"))


@pytest.fixture
def tour(tmp_path, monkeypatch):
    """The tour with every long step left out; `after` is what readers get at its end."""
    told = SimpleNamespace(after=[NEW], home=tmp_path / "a home")
    told.home.mkdir()
    monkeypatch.setattr(demo, "_fresh", lambda home: Settings(home=told.home))
    monkeypatch.setattr(
        demo, "_read", lambda settings, title: [OLD] if title[0] == "1" else told.after
    )
    for name in ("_correct", "_train", "_compare"):
        monkeypatch.setattr(demo, name, lambda *_: 0)
    made = SimpleNamespace(promoted=SimpleNamespace(title="software-words", version="abc"))
    monkeypatch.setattr(promote, "promote", lambda *_: made)
    return told


def test_it_says_how_its_own_home_gets_back_what_it_had(tour, capsys):
    assert demo.run(tour.home) == 0
    here = f"CTX_HOME='{tour.home}' .venv/bin/python"
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"{here} -m trainer back" in lines and f"{here} app.py" in lines


def test_it_fails_where_no_answer_changed(tour):
    tour.after = [OLD]
    assert demo.run(tour.home) == 1


def test_a_model_that_is_refused_is_said_without_a_traceback(tour, monkeypatch, capsys):
    def refuse(*_):
        raise promote.PromotionRefused("worse", "run:1 is refused: it is worse")

    monkeypatch.setattr(promote, "promote", refuse)
    monkeypatch.setattr(trainer, "_give_way", lambda: None)
    monkeypatch.setattr(sys, "argv", ["trainer", "demo", "--home", str(tour.home)])
    assert trainer.main() == 2
    assert "it is worse" in capsys.readouterr().err
