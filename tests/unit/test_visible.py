"""Characters that nobody sees are spelled out, wherever lines from outside are shown."""

from __future__ import annotations

import pytest

from db.dataset.visible import visible
from db.store import Brought
from engine.sense import Query
from ui.label.brought import to_lines
from ui.label.shape import to_pieces


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("a\x1b[2Jb\0\r", "a⟨U+001B⟩[2Jb⟨U+0000⟩⟨U+000D⟩"),
        ("a\ud800b", "a⟨U+D800⟩b"),
        ("\ufeffa\u200bb\u2028c", "⟨U+FEFF⟩a⟨U+200B⟩b⟨U+2028⟩c"),
        ("a\tb\nc", "a\tb\nc"),
        ("回电话 שלום 👩\u200d💻 naïve", "回电话 שלום 👩\u200d💻 naïve"),
    ],
)
def test_spelled_out_or_left(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_refused_lines_and_sentences_turn_nothing_round() -> None:
    (line,) = to_lines([Brought(1, 0, "{\u202ebroken", reason="not_json")])
    assert line["raw"] == "{⟨U+202E⟩broken"
    pieces = to_pieces(Query("Call \u202eme back.", 2))
    assert pieces == ["", "Call", " ⟨U+202E⟩", "me", " ", "back", "."]
