"""What differs between two translations is painted by words, or by characters without spaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.compare.texts import beside


@pytest.mark.parametrize(
    "one, other, left, right",
    [
        ("He did go.", "He did go.", [], []),
        ("He didn't go home.", "He did go back home!", ["didn't", "."], ["did", "back", "!"]),
        ("他在这里。", "他不在那里", ["这", "。"], ["不", "那"]),
        ("मैं घर जाता हूँ।", "मैं बाहर जाता हूँ।", ["घर"], ["बाहर"]),
        ("", "x y", [], ["x y"]),
        ("a  b", "a b", [], []),
    ],
)
def test_what_differs(one, other, left, right):
    found = beside(one, other)
    assert [[text for text, differs in parts if differs] for parts in found] == [left, right]


@given(st.text(), st.text())
def test_nothing_of_a_text_is_lost(one, other):
    found = beside(one, other)
    assert ["".join(text for text, _ in parts) for parts in found] == [one, other]
