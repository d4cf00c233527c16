"""A frozen dataset of sentences as what a model from nothing learns: a teacher's translations
become parallel text, and a job makes a student of them that the catalogue knows.
"""

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from db.store import Brought, Origin, Outcome, Refused, open_store
from engine.catalogue import readers_adapter
from engine.settings import Settings
from engine.split import split_of_translation
from tests.unit.test_scratch_runs import PAIRS, SMALL, STEPS
from trainer.catalogue import find_model
from trainer.fields import RecipeError
from trainer.jobs.kinds import find_kind
from trainer.jobs.process import this_process
from trainer.jobs.work import work
from trainer.promote import promote
from trainer.scratch.data import read_lines
from trainer.scratch.frozen import place_frozen
from trainer.scratch.recipe import ScratchRecipe, parse_scratch

TEACHER = "a-large-model"
CAME = ("Eine Katze.", "A cat.")
RECIPE = ScratchRecipe(dataset="taught")


@pytest.fixture
def store(tmp_path: Path):
    """Sentences that a teacher translated, on two lines each, and one that came with its own."""
    with open_store(tmp_path / "ctx.db") as opened:
        origin = Origin("text.txt", "text", "de-en")
        lines = [Brought(n, 0, text, context=text) for n, (text, _) in enumerate(PAIRS)]
        lines.append(Brought(99, 0, CAME[0], context=CAME[0], translation=CAME[1]))
        opened.imports.add(opened.imports.begin(origin), origin, lines)
        teach(opened)
        yield opened


def teach(store) -> None:
    process, said = this_process(), dict(PAIRS)
    job = store.jobs.add("translations", "network", {}, "Ann")
    store.jobs.take(job, process, None)
    store.requests.fill_asked(job, process, [{"context": text} for text in said])
    origin = Origin("translated", "synthetic", "de-en", who=TEACHER)
    for request in store.requests.waiting(job):
        context = request.asked["context"]
        text = said[context].replace(" ", "\n", 1)
        store.synthetic.translate(job, process, request, origin, context, text, Outcome())
    store.jobs.end(job, process, "done")


def test_what_a_teacher_said_is_what_its_student_learns(store, tmp_path):
    store.sentence_sets.freeze("taught", "de-en", TEACHER)
    placed = place_frozen(RECIPE, store, tmp_path)
    assert not placed.dataset and TEACHER in placed.origin and "60 of 61" in placed.origin
    learnt = [
        pair
        for files in (placed.train, placed.dev, placed.test)
        if files
        for pair in zip(*(read_lines(Path(file)) for file in files), strict=True)
    ]
    assert sorted(learnt) == sorted([*PAIRS, CAME])
    train = [Path(file) for file in placed.train]
    assert [file.name for file in train] == ["train.de", "train.en"]
    assert {split_of_translation(a, b, "de-en") for a, b in zip(*map(read_lines, train))} == {
        "train"
    }
    before = {file: file.stat().st_mtime_ns for file in train}
    assert place_frozen(RECIPE, store, tmp_path) == placed
    assert before == {file: file.stat().st_mtime_ns for file in train}, "written once"


def test_what_cannot_be_learnt_is_said(store, tmp_path):
    with pytest.raises(Refused):
        place_frozen(RECIPE, store, tmp_path)
    store.sentence_sets.freeze("taught", "de-en", TEACHER)
    with pytest.raises(RecipeError, match="of de-en, not of en-es"):
        place_frozen(ScratchRecipe(pair="en-es", dataset="taught"), store, tmp_path)
    with pytest.raises(RecipeError, match="dataset"):
        ScratchRecipe(dataset="taught", train=("a", "b"))
    plain = ScratchRecipe(train=("a", "b"))
    assert place_frozen(plain, store, tmp_path) is plain


def test_a_job_makes_a_student_that_the_catalogue_knows(store, tmp_path):
    store.sentence_sets.freeze("taught", "de-en", TEACHER)
    small = SMALL | {"vocabulary": 380}
    told = {"name": "student", "dataset": "taught", "model": small, "finetune": STEPS}
    recipe = {"phase": "finetune", "recipe": asdict(parse_scratch(told))}
    settings = Settings(home=tmp_path, dtype="float32")
    prepared = find_kind("scratch").prepare(recipe)
    job = store.jobs.add("scratch", prepared.slot, prepared.recipe, "Ann")
    assert work(store, settings, job, lambda: False) == "done"
    model = find_model(f"run:{job}", store, settings)
    assert (model.title, model.pair, model.task) == ("student", "de-en", "translation")
    assert model.style == "tagged" and TEACHER in (model.folder / "card.json").read_text()
    promote(model.name, store, settings, reason="a trial")
    shutil.rmtree(model.folder)
    given = readers_adapter(settings, "de-en", "translation")
    assert given.version == model.version, "what readers have outlives its run"


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"model": SMALL | {"vocabulary": 5000}}, "large_vocabulary"),
        ({"pair": "fr-en"}, "other_pair"),
        ({}, "no_tokenizer"),
        ({}, "not_whole"),
    ],
)
def test_a_job_ends_with_the_reason_for_which_its_run_is_refused(store, tmp_path, changes, code):
    store.sentence_sets.freeze("taught", "de-en", TEACHER)
    data = {"name": "student", "dataset": "taught", "model": SMALL, "finetune": STEPS} | changes
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", "mo')
    given = {"no_tokenizer": "nowhere", "not_whole": str(tmp_path)}.get(code, "")
    asked = {"phase": "tokenizer", "tokenizer": given, "recipe": data}
    prepared = find_kind("scratch").prepare(asked)
    job = store.jobs.add("scratch", prepared.slot, prepared.recipe, "Ann")
    assert work(store, Settings(home=tmp_path / "home"), job, lambda: False) == "failed"
    assert store.jobs.get(job).error == code
