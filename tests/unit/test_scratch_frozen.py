"""A frozen dataset of sentences as what a model from nothing learns: a teacher's translations
become parallel text, each split two files of lines."""

from pathlib import Path

import pytest

from db.store import Brought, Origin, Outcome, Refused, open_store
from db.store.jobs import Process
from engine.split import split_of_translation
from trainer.fields import RecipeError
from trainer.jobs.process import this_process
from trainer.scratch.data import read_lines
from trainer.scratch.frozen import place_frozen
from trainer.scratch.recipe import ScratchRecipe

SENTENCES = [f"The dog number {n} sleeps." for n in range(60)]
TEACHER = "a-large-model"
RECIPE = ScratchRecipe(pair="en-zh", dataset="taught")


@pytest.fixture
def store(tmp_path: Path):
    with open_store(tmp_path / "ctx.db") as opened:
        origin = Origin("text.txt", "text")
        lines = [Brought(n, 0, text, context=text) for n, text in enumerate(SENTENCES)]
        lines.append(Brought(99, 0, "A cat.", context="A cat.", translation="一只猫。"))
        opened.imports.add(opened.imports.begin(origin), origin, lines)
        teach(opened, this_process())
        yield opened


def teach(store, process: Process) -> None:
    """What a teacher's job stores: a translation of each sentence, one of two lines."""
    job = store.jobs.add("translations", "network", {}, "Ann")
    store.jobs.take(job, process, None)
    store.requests.fill_asked(job, process, [{"context": text} for text in SENTENCES])
    origin = Origin("translated", "synthetic", who=TEACHER)
    for request in store.requests.waiting(job):
        text = f"{request.asked['context'].split()[3]}号狗\n在睡觉。"
        store.synthetic.translate(
            job, process, request, origin, request.asked["context"], text, Outcome()
        )


def test_what_a_teacher_said_is_what_its_student_learns(store, tmp_path):
    store.sentence_sets.freeze("taught", "en-zh", TEACHER)
    placed = place_frozen(RECIPE, store, tmp_path)
    assert not placed.dataset and TEACHER in placed.origin and "taught" in placed.origin
    learnt = [
        pair
        for files in (placed.train, placed.dev, placed.test)
        if files
        for pair in zip(*(read_lines(Path(file)) for file in files), strict=True)
    ]
    wanted = {(text, f"{n}号狗 在睡觉。") for n, text in enumerate(SENTENCES)}
    assert set(learnt) == wanted | {("A cat.", "一只猫。")} and len(learnt) == 61
    train = [Path(file) for file in placed.train]
    assert [file.name for file in train] == ["train.en", "train.zh"]
    assert all(
        split_of_translation(a, b, "en-zh") == "train" for a, b in zip(*map(read_lines, train))
    )
    before = {file: file.stat().st_mtime_ns for file in train}
    assert place_frozen(RECIPE, store, tmp_path) == placed
    assert before == {file: file.stat().st_mtime_ns for file in train}, "written once"


def test_what_cannot_be_learnt_is_said(store, tmp_path):
    with pytest.raises(Refused):
        place_frozen(RECIPE, store, tmp_path)
    store.sentence_sets.freeze("taught", "en-zh", TEACHER)
    with pytest.raises(RecipeError, match="of en-zh, not of en-es"):
        place_frozen(ScratchRecipe(pair="en-es", dataset="taught"), store, tmp_path)
    with pytest.raises(RecipeError, match="dataset"):
        ScratchRecipe(pair="en-zh", dataset="taught", train=("a", "b"))
    plain = ScratchRecipe(train=("a", "b"))
    assert place_frozen(plain, store, tmp_path) is plain
