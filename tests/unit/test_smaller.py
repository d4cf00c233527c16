"""Forms and students, read from tables and from what runs told."""

from __future__ import annotations

import json

from engine.settings import Settings
from tests.told_runs import STUDENT, add_run
from trainer.history import read_history
from trainer.smaller import forms_of, keep_table, list_forms, student_of


def row(name: str, disk: float, fit: bool = True, missing: str = "") -> dict:
    quality = {"rows": 616, "kept": 0.93, "fit": fit, "reason": "" if fit else "right keeps 0.8"}
    return {
        "name": name, "text": "", "missing": missing, "disk_mb": disk, "resident_mb": 700.0,
        "quality": quality, "click": {"cpu_ms": 300.0}, "token_ms": 0.0,
    }  # fmt: skip


def table(*rows: dict, version: str = "abc", sha256: str = "1") -> dict:
    return {
        "model": "mine", "version": version, "dataset": "gold", "split": "test", "sha256": sha256,
        "pair": "en-zh", "rows": list(rows),
    }  # fmt: skip


def test_a_table_keeps_earlier_lines_of_the_same_rows(tmp_path):
    settings = Settings(home=tmp_path)
    keep_table(tmp_path, table(row("bf16", 500), row("int8", 400, False)))
    keep_table(tmp_path, table(row("int8", 390), row("nf4", 0, missing="no library")))
    found = forms_of("abc", settings)
    assert [(one.name, one.bytes, one.passed) for one in found.forms] == [
        ("int8", 390e6, True), ("bf16", 500e6, True),
    ]  # fmt: skip
    assert (found.rows, found.forms[0].ms, found.forms[0].token_ms) == (616, 300.0, None)
    keep_table(tmp_path, table(row("int8", 390), sha256="2"))
    assert [one.name for one in forms_of("abc", settings).forms] == ["int8"]


def test_what_ships_is_listed_until_it_is_made_here_and_a_broken_table_is_passed_over(tmp_path):
    settings = Settings(home=tmp_path)
    shipped, small = list_forms(settings)
    assert (small.model, small.pair) == ("en-zh-sense-small", "en-zh")
    assert shipped.pair == "en-zh" and shipped.forms[0].kept == 1.0
    keep_table(tmp_path, table(row("bf16", 500), version=shipped.version))
    mine, other = list_forms(settings)
    assert other == small
    assert (mine.version, mine.model) == (shipped.version, "mine")
    file = tmp_path / "forms" / shipped.version / "table.json"
    for text in ("", "[]", json.dumps({"rows": [{}]}), '{"rows": 7}'):
        file.write_text(text)
        assert list_forms(settings) == [shipped, small]


def test_what_a_student_came_to(store, tmp_path):
    job = add_run(store, tmp_path, STUDENT, distil={"teacher": "present"})
    found = student_of(job, read_history(STUDENT))
    assert (found.name, found.text, found.bytes) == ("run:1", "en-zh-sense", 180_000_000)
    assert (found.kept, found.low, found.passed) == (0.85, 0.8, False)
    assert (found.reason, found.ms) == ("failed_gate", 31.5)
    begun = student_of(job, read_history(STUDENT[:2]))
    assert begun.passed is None and begun.kept is None
    assert student_of(add_run(store, tmp_path), read_history([])) is None
