"""Both languages say the same things, and the pages ask only for what is there."""

from __future__ import annotations

import re

from engine.sense import CLASSES
from engine.settings import assets
from ui.strings import STRINGS

BLANK = re.compile(r"\{(\w+)\}")


def test_same_keys_in_both_languages():
    english, chinese = STRINGS["en"], STRINGS["zh-CN"]
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert text and chinese[key]
        assert set(BLANK.findall(text)) == set(BLANK.findall(chinese[key])), key


def test_every_class_has_a_name():
    assert {f"class_{name.replace(' ', '_')}" for name in CLASSES} <= STRINGS["en"].keys()


def test_pages_use_keys_that_exist():
    asked = set()
    for page in (assets() / "html").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        asked |= set(re.findall(r'data-t(?:-label|-title|-placeholder)?="(\w+)"', text))
    for script in (assets() / "js").rglob("*.js"):
        asked |= set(re.findall(r"\bt\('(\w+[a-z])'[,)]", script.read_text(encoding="utf-8")))
    assert asked and asked <= STRINGS["en"].keys()


def test_texts_are_never_set_as_html():
    for script in (assets() / "js").rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_every_reason_why_a_model_is_missing_is_said_in_both_languages():
    source = (assets().parent / "engine" / "models.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'BaseError\(\s*"(\w+)"', source))
    assert len(codes) >= 9
    for strings in STRINGS.values():
        assert {f"model_{code}" for code in codes} <= strings.keys()
