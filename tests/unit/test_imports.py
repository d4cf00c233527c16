"""Imports point one way: ui → trainer → db → the pure engine; gradio only in ui and app."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = {"engine.settings", "engine.passage", "engine.sense", "engine.rules", "engine.split"}
ALLOWED = {"engine": {"engine"}, "db": {"db", *PURE}, "trainer": {"trainer", "db", "engine"}}
FILES = [
    file
    for package in ("engine", "db", "trainer", "ui")
    for file in sorted((ROOT / package).rglob("*.py"))
]


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_one_way(file):
    package = file.relative_to(ROOT).parts[0]
    names = imported(file)
    if package != "ui":
        assert not any(name.split(".")[0] == "gradio" for name in names)
        ours = {n for n in names if n.split(".")[0] in ("engine", "db", "trainer", "ui")}
        allowed = ALLOWED[package]
        bad = {n for n in ours if not any(n == a or n.startswith(f"{a}.") for a in allowed)}
        bad -= {"engine"} if package == "db" else set()
        assert not bad


def test_the_pure_parts_need_no_torch():
    """So that the store and its tests start in no time."""
    for name in PURE:
        file = ROOT / f"{name.replace('.', '/')}.py"
        roots = {n.split(".")[0] for n in imported(file)}
        assert not roots & {"torch", "transformers", "peft", "gradio"}


@pytest.mark.parametrize("file", [ROOT / "app.py", *FILES], ids=lambda f: str(f.relative_to(ROOT)))
def test_every_file_says_what_it_is_and_keeps_its_size(file):
    text = file.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)) or not text.strip()
    assert len(text.splitlines()) <= 400
