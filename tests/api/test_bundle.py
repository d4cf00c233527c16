"""A bundle runs by itself: a fresh process, a fresh home, nothing but the bundle on its path; and
what it made is taken in at home. The real base, two steps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from db.store import open_store
from engine.checking import WEIGHTS, AdapterError, read_adapter
from engine.settings import Settings, assets, read_settings
from tests.real import fresh_home
from trainer.adopt import adopt, check_result
from trainer.bundle import BundleError, make_bundle, recipe_hash, requirements
from trainer.jobs.queue import Jobs
from trainer.recipe import Recipe, RecipeError, load_recipe

ROWS = 30


@pytest.fixture(scope="module")
def home(models_home, tmp_path_factory) -> Settings:
    folder = fresh_home(tmp_path_factory.mktemp("bundle") / "home", models_home)
    return read_settings({"CTX_HOME": str(folder)})


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    """A recipe of few rows, with a list that it is read with; from outside the project."""
    from tests.small_rows import few_rows

    folder = tmp_path_factory.mktemp("recipe")
    (folder / "rows").mkdir()
    (folder / "rows" / "a.jsonl").write_text(few_rows(ROWS))
    (folder / "list.tsv").write_text("call back\t回电话\n")
    source = {"name": "rows", "path": "rows", "references": ["list.tsv"]}
    small = {"name": "small", "sources": [source], "rank": 4, "alpha": 8, "steps": 2}
    small |= {"batch": 4, "dev_rows": 8, "scored_rows": 4, "guard_rows": 0, "matrices": "q,v"}
    (folder / "recipe.json").write_text(json.dumps(small))
    return folder / "recipe.json"


def run(bundle: Path, models_home: Path) -> None:
    """The bundle's own command, as on a machine that has only the bundle and its requirements."""
    fresh_home(bundle / "home", models_home)
    names = ("PATH", "HOME", "LANG", "SYSTEMROOT", "OMP_NUM_THREADS", "OMP_WAIT_POLICY")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    ran = subprocess.run(
        ["sh", "run.sh"], cwd=bundle, capture_output=True, text=True, timeout=500,
        env=kept | {"PYTHON": sys.executable, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def done(recipe, home, models_home, tmp_path_factory) -> Path:
    """A bundle that was run where its recipe and rows were not."""
    bundle = tmp_path_factory.mktemp("there") / "bundle"
    made = make_bundle(recipe, bundle, home)
    assert set(made.files) == {"data/1-rows/a.jsonl", "data/2-list.tsv/list.tsv"}
    hidden = recipe.parent.with_name("hidden")
    recipe.parent.rename(hidden)
    try:
        run(bundle, models_home)
    finally:
        hidden.rename(recipe.parent)
    return bundle


def copy(done: Path, to: Path) -> Path:
    """What came back, for a test to change."""
    shutil.copytree(done, to, symlinks=True)
    return to


def test_what_a_bundle_made_is_taken_in_as_a_finished_run(done, home, recipe):
    with open_store(home.database) as store:
        jobs = Jobs(store, home.home)
        job, folder = adopt(done, jobs, home.home)
        assert (job.kind, job.state, job.figures["fit"]) == ("train", "done", True)
        assert job.recipe["sources"][0]["path"] == str(recipe.parent / "rows"), "as it is at home"
        told = [event.data["event"] for event in jobs.events(job.id)]
        assert told == ["dev", "step", "step", "dev", "result"]
        assert folder == jobs.folder(job.id) / "adapter"
    assert read_adapter(folder).card.name == "small"
    assert recipe_hash(load_recipe(folder / "recipe.json")) == recipe_hash(
        load_recipe(done / "recipe.json")
    )
    assert (folder / WEIGHTS).read_bytes() == (done / "out" / "adapter" / WEIGHTS).read_bytes()
    assert not (home.home / "adopting.new").exists()


def test_only_what_belongs_to_an_adapter_is_copied(done, home, tmp_path):
    back = copy(done, tmp_path / "back")
    (back / "out" / "adapter" / "note.txt").write_text("hello")
    with open_store(home.database) as store:
        _, folder = adopt(back, Jobs(store, home.home), home.home)
    names = {one.name for one in folder.iterdir()}
    assert "note.txt" not in names
    assert names == {WEIGHTS, "adapter_config.json", "card.json", "recipe.json", "SCORES.md"}
    assert [one.name for one in folder.parent.iterdir()] == ["adapter"]


def test_an_adapter_of_another_recipe_is_refused(done, tmp_path):
    back = copy(done, tmp_path / "back")
    file = back / "out" / "adapter" / "recipe.json"
    file.write_text(file.read_text().replace('"steps": 2', '"steps": 3'))
    with pytest.raises(BundleError, match="recipe of this bundle"):
        check_result(back)


@pytest.mark.parametrize("name", ["card.json", "recipe.json"])
def test_a_run_that_is_not_finished_is_refused(done, tmp_path, name):
    back = copy(done, tmp_path / "back")
    (back / "out" / "adapter" / name).unlink()
    with pytest.raises(BundleError, match="not finished"):
        check_result(back)


def test_pickles_links_and_large_files_are_refused(done, home, tmp_path):
    back = copy(done, tmp_path / "back")
    adapter = back / "out" / "adapter"
    (adapter / "more.bin").write_bytes(b"\x80")
    with pytest.raises(AdapterError, match="pickled"):
        check_result(back)
    (adapter / "more.bin").unlink()
    (adapter / "SCORES.md").unlink()
    (adapter / "SCORES.md").symlink_to(home.database)
    with pytest.raises(BundleError, match="links"):
        check_result(back)
    (adapter / "SCORES.md").unlink()
    (adapter / "SCORES.md").write_bytes(b" " * (2 << 20))
    with pytest.raises(BundleError, match="larger"):
        check_result(back)


def test_a_log_with_nonsense_gives_what_it_can(done, home, tmp_path):
    back = copy(done, tmp_path / "back")
    bad = ["{", "[]", '{"event": "step", "step": 1, "loss": NaN, "x": [1]}', '{"event": "other"}']
    (back / "out" / "log.jsonl").write_text("\n".join(bad))
    with open_store(home.database) as store:
        jobs = Jobs(store, home.home)
        job, _ = adopt(back, jobs, home.home)
        told = [event.data for event in jobs.events(job.id)]
    assert told[0] == {"event": "step", "step": 1} and told[1]["event"] == "result"


def test_a_frozen_dataset_goes_along_as_a_file(home, tmp_path):
    recipe = {
        "name": "gold",
        "sources": [{"name": "gold", "path": "en-zh-gold", "format": "dataset"}],
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    made = make_bundle(tmp_path / "recipe.json", tmp_path / "bundle", home)
    (source,) = load_recipe(tmp_path / "bundle" / "recipe.json").sources
    assert source.format == "flat" and (tmp_path / "bundle" / source.path).exists()
    files = sorted((assets() / "datasets" / "en-zh-gold").glob("*.jsonl"))
    assert len(made.files) == len(files)


def test_a_start_goes_along(recipe, home, tmp_path):
    plain = json.loads(recipe.read_text())
    (recipe.parent / "next.json").write_text(json.dumps(plain | {"start": "recipe.json"}))
    make_bundle(recipe.parent / "next.json", tmp_path / "bundle", home)
    made = load_recipe(tmp_path / "bundle" / "recipe.json")
    first = load_recipe(tmp_path / "bundle" / made.start)
    assert first.sources == made.sources and not first.start
    (recipe.parent / "more.json").write_text(json.dumps(plain | {"start": "present"}))
    make_bundle(recipe.parent / "more.json", tmp_path / "other", home)
    assert load_recipe(tmp_path / "other" / "recipe.json").start == "start"
    assert read_adapter(tmp_path / "other" / "start").card.name == "en-zh-sense"


def test_what_cannot_be_a_bundle_is_refused_and_leaves_nothing(recipe, home, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(BundleError, match="not empty"):
        make_bundle(recipe, tmp_path / "full", home)
    (tmp_path / "recipe.json").write_text(
        json.dumps({"name": "none", "sources": [{"name": "a", "path": "nowhere.jsonl"}]})
    )
    with pytest.raises(RecipeError, match="nowhere"):
        make_bundle(tmp_path / "recipe.json", tmp_path / "bundle", home)
    assert not list(tmp_path.glob("bundle*"))
    with pytest.raises(BundleError, match="no bundle"):
        check_result(tmp_path)


def test_requirements_are_what_the_recipe_needs():
    listed = "# notes\n\ngradio~=6.31.0\ntorch~=2.13.0\nopenai~=3.57\n"
    plain = requirements(listed, Recipe(), {"flat"})
    assert plain == "torch~=2.13.0\n"
    more = requirements(listed, Recipe(tracker="trackio"), {"flat", "wordnet"})
    assert more.splitlines() == ["torch~=2.13.0", "-r trainer/sources/requirements.txt", "trackio"]
