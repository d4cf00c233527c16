"""The trainer without a screen.

python -m trainer plan RECIPE.json [--show N]
python -m trainer run RECIPE.json
python -m trainer fit RECIPE.json [--folder DIR] [--install]
python -m trainer tries TRIES.json [--folder DIR]
python -m trainer books RECIPE.json
python -m trainer sweep [--rows N] [--steps N] [--out FILE]
python -m trainer pairs [DIR …] [--rows N] [--out FILE.json]
python -m trainer quantise MODEL [--ways NAME …] [--progressive] [--ratio R] [--out FILE.json]
python -m trainer scratch corpus DIR SOURCE [SOURCE …] [--languages de|de-en]
python -m trainer scratch tokenizer|pretrain|finetune|report RECIPE.json [--folder DIR]
python -m trainer scratch prefix RECIPE.json [--share N] [--out FILE.json]
python -m trainer scratch translate MODEL [TEXT …] [--beams N]
python -m trainer scratch export MODEL [--to DIR] [--both-ways]
python -m trainer bundle RECIPE.json DIR
python -m trainer adopt DIR
python -m trainer student STUDENT.json DIR [--adapter DIR]
python -m trainer small DIR [--ship FORM]
python -m trainer evaluate MODEL [MODEL …] [--dataset NAME] [--split S] [--rows N] [--out DIR]
python -m trainer demo [--home DIR]
python -m trainer teach --url URL --model NAME [--limit N] [--concurrency N] [--rate R] [--import N]
python -m trainer teach --engine base|shipped|DIR [--limit N] [--import N]
python -m trainer write --url URL --model NAME [--show TEXT|MEANING] [--literally TEXT] [--count N]
python -m trainer translate --url URL --model NAME [--limit N] [--import N]
python -m trainer models
python -m trainer promote MODEL [--reason TEXT]
python -m trainer back
python -m trainer jobs
python -m trainer follow|watch|log|report|aside|stop|pause|resume|cancel|remove JOB
python -m trainer move JOB PLACE
python -m trainer note JOB TEXT
python -m trainer work JOB
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import psutil

from trainer.jobs.stopping import watch_signals

STOPPED = "stopped; the same command goes on from where it was"
_NAMED = (
    ("trainer.fields", "RecipeError"),
    ("trainer.training", "TrainingError"),
    ("trainer.bundle", "BundleError"),
    ("trainer.jobs.kinds", "JobError"),
    ("trainer.catalogue", "ModelError"),
    ("trainer.promote", "PromotionRefused"),
    ("trainer.scratch.corpus.reading", "CorpusError"),
    ("engine.models", "BaseError"),
    ("engine.checking", "AdapterError"),
    ("engine.settings", "SettingsError"),
    ("engine.teacher", "TeacherError"),
    ("engine.teaching", "TemplateError"),
    ("db.store", "StoreError"),
)


def main() -> int:
    from trainer.distil.quantise_command import add_quantise
    from trainer.jobs.commands import add_commands
    from trainer.planning import add_plan
    from trainer.promoting import add_promoting
    from trainer.scratch.command import add_scratch

    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    commands = parser.add_subparsers(required=True)
    add_plan(commands)
    run = commands.add_parser("run", help="make a job of a recipe and follow it")
    run.add_argument("recipe", type=Path, metavar="RECIPE.json")
    run.set_defaults(command=_run)
    fit = commands.add_parser(
        "fit", help="run a recipe in this process, without a job; again after a stop, to go on"
    )
    fit.add_argument("recipe", type=Path, metavar="RECIPE.json")
    fit.add_argument("--folder", type=Path, help="where the run lies; default: CTX_HOME/runs/NAME")
    fit.add_argument(
        "--install", action="store_true", help="copy the finished adapter beside its recipe"
    )
    fit.set_defaults(command=_fit)
    tries = commands.add_parser("tries", help="train and score variants of a recipe side by side")
    tries.add_argument("file", type=Path, metavar="TRIES.json")
    tries.add_argument("--folder", type=Path, help="where they lie; default: CTX_HOME/runs/tries")
    tries.set_defaults(command=_tries)
    books = commands.add_parser("books", help="make the app's two books from a recipe's data")
    books.add_argument("recipe", type=Path, metavar="RECIPE.json")
    books.set_defaults(command=_books)
    _add_elsewhere(commands)
    add_quantise(commands)
    add_promoting(commands)
    add_scratch(commands)
    _add_evaluate(commands)
    demo = commands.add_parser("demo", help="the whole loop on example data")
    demo.add_argument("--home", type=Path, default=Path(".venv/demo"), help="a home of its own")
    demo.set_defaults(command=_demo)
    add_commands(commands)
    arguments = parser.parse_args()
    _give_way()
    try:
        return arguments.command(arguments)
    except Exception as error:
        if not _is_named(error):
            raise
        print(error, file=sys.stderr)
        return 2


def _add_elsewhere(commands: Any) -> None:
    """The commands about tables that are measured and about other machines."""
    sweep = commands.add_parser(
        "sweep", help="repeat the published table: four choices of what is trained"
    )
    sweep.add_argument("--rows", type=int, help="rows to train on; 0: all there are")
    sweep.add_argument("--steps", type=int, default=0, help="of each; 0: every row once")
    sweep.add_argument("--held-out", type=int, help="rows that are scored")
    sweep.add_argument("--folder", type=Path, help="where they lie; default: CTX_HOME/runs/sweep")
    sweep.add_argument("--out", type=Path, metavar="FILE.json", help="write the figures there, too")
    sweep.set_defaults(command=_sweep)
    pairs = commands.add_parser(
        "pairs", help="translation adapters beside their base, on test sentences"
    )
    pairs.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="default: all shipped")
    pairs.add_argument("--rows", type=int, help="test sentences of each, at most")
    pairs.add_argument("--out", type=Path, metavar="FILE.json", help="add the figures there, too")
    pairs.set_defaults(command=_pairs)
    bundle = commands.add_parser("bundle", help="write a folder that runs a recipe elsewhere")
    bundle.add_argument("recipe", type=Path, metavar="RECIPE.json")
    bundle.add_argument("folder", type=Path, metavar="DIR")
    bundle.set_defaults(command=_bundle)
    student = commands.add_parser(
        "student", help="make a distilled student again, from what is kept of it"
    )
    student.add_argument("file", type=Path, metavar="STUDENT.json")
    student.add_argument("folder", type=Path, metavar="DIR")
    student.add_argument("--adapter", default="", help="what was merged in; default: what ships")
    student.set_defaults(command=_student)
    small = commands.add_parser(
        "small", help="make the small model that ships; CTX_FORM=small does"
    )
    small.add_argument("folder", type=Path, metavar="DIR")
    small.add_argument("--ship", default="", metavar="FORM", help="DIR is a run: this form ships")
    small.set_defaults(command=_small)
    adopted = commands.add_parser("adopt", help="check and take in what a bundle made elsewhere")
    adopted.add_argument("folder", type=Path, metavar="DIR")
    adopted.set_defaults(command=_adopt)


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="score models on a split, side by side")
    evaluate.add_argument(
        "models", nargs="+", metavar="MODEL",
        help="base, shipped, shipped:en-es-translation, run:7, kept:VERSION, teacher:WHO (answers"
        " there are) or server:MODEL",
    )  # fmt: skip
    evaluate.add_argument(
        "--dataset", metavar="NAME",
        help="default: en-zh-gold; of task translation all sentences that came with one",
    )  # fmt: skip
    evaluate.add_argument("--split", default="dev", choices=("train", "dev", "test"))
    evaluate.add_argument("--rows", type=int, default=0, help="about how many; 0: all")
    evaluate.add_argument("--seed", type=int, default=1, help="which rows, where not all")
    evaluate.add_argument(
        "--task", default="sense", choices=("sense", "translation"),
        help="translation: sentences that were imported with one, translated again",
    )  # fmt: skip
    evaluate.add_argument("--pair", default="en-zh", help="source and target language")
    evaluate.add_argument("--free", type=int, default=32, help="rows also written unbound")
    evaluate.add_argument("--url", default="", help="the address of server:MODEL's server")
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="copy the reports there")
    evaluate.set_defaults(command=_evaluate)


def _is_named(error: Exception) -> bool:
    """Whether the error is for people to read. A module that nobody imported did not raise it, and
    to import some takes seconds."""
    found = [(sys.modules[module], name) for module, name in _NAMED if module in sys.modules]
    return isinstance(error, tuple(getattr(module, name) for module, name in found))


def _run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from trainer.jobs.commands import follow_to_end, opened, state_of
    from trainer.recipe import load_recipe, placed

    recipe = placed(load_recipe(arguments.recipe), arguments.recipe.resolve().parent)
    with opened() as (_, jobs):
        job = jobs.add("train", asdict(recipe))
        print(f"job {job.id}: {state_of(job)}", flush=True)
        return follow_to_end(jobs, job.id)


def _fit(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.recipe import load_recipe
    from trainer.run import check_same, find_start, run_recipe
    from trainer.splits import load_splits

    settings, home = read_settings(), arguments.recipe.resolve().parent
    recipe = load_recipe(arguments.recipe)
    folder = arguments.folder or settings.home / "runs" / recipe.name
    stopped, adapter = watch_signals(), None
    check_same(recipe, folder)
    splits, data = load_splits(recipe, home, settings)
    began, start = find_start(recipe, home, folder, settings, _say, stopped)
    if began:
        adapter = run_recipe(
            recipe, splits, data, folder, settings, _say, stopped, start=start, home=home
        )
    if adapter is None:
        print(f"{STOPPED}: {folder}")
        return 130
    if arguments.install and int(os.environ.get("RANK", "0")) == 0:
        shutil.copytree(adapter, home, dirs_exist_ok=True)
    print(f"done: {home if arguments.install else adapter}")
    return 0


def _student(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.distil.small import make_student_again
    from trainer.distil.student import read_cut

    cut, settings = read_cut(arguments.file), read_settings()
    print(f"made: {make_student_again(cut, arguments.folder, settings, arguments.adapter)}")
    return 0


def _small(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.distil.small import make_small, ship_small

    settings, made = read_settings(), arguments.folder
    if arguments.ship:
        made = ship_small(made, arguments.ship, settings)
    else:
        make_small(made, settings)
    print(f"made: {made}")
    return 0


def _tries(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.tries import run_tries

    settings = read_settings()
    folder = arguments.folder or settings.home / "runs" / "tries"
    table = run_tries(arguments.file.resolve(), folder, settings, _say, watch_signals())
    print(table or f"{STOPPED}: {folder}")
    return 0 if table else 130


def _books(arguments: argparse.Namespace) -> int:
    from engine.settings import assets, read_settings
    from trainer.phrasebook import make_phrase_lines, read_listed, read_table, write_phrasebook
    from trainer.recipe import load_recipe
    from trainer.sources.wordnet import frequency
    from trainer.splits import load_splits
    from trainer.wordbook import listed_pairs, make_lines, write_wordbook

    recipe, home = load_recipe(arguments.recipe), arguments.recipe.resolve().parent
    settings = read_settings()
    splits, _ = load_splits(recipe, home, settings)
    lines = make_lines(splits["train"], listed_pairs(recipe, home, settings), frequency())
    print(f"{write_wordbook(lines, assets() / 'wordbook.tsv.gz')} words")
    told = splits["train"] + splits["unknown"]
    lines = make_phrase_lines(read_table(settings), told, read_listed(assets()))
    print(f"{write_phrasebook(lines, assets() / 'phrasebook.tsv')} phrases with their meanings")
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from engine.settings import read_settings
    from trainer.sweep import HELD_OUT, ROWS, page, run_sweep, write_json

    settings = read_settings()
    folder = arguments.folder or settings.home / "runs" / "sweep"
    rows = ROWS if arguments.rows is None else arguments.rows
    held_out = HELD_OUT if arguments.held_out is None else arguments.held_out
    done = run_sweep(folder, settings, _say, watch_signals(), rows, arguments.steps, held_out)
    if done is None:
        print(f"{STOPPED}: {folder}")
        return 130
    if arguments.out:
        write_json(asdict(done), arguments.out)
    print(page(done))
    return 0


def _pairs(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.pairs import ROWS, measure_pairs, shipped_folders, table, write_pairs

    folders = arguments.folders or shipped_folders()
    found = measure_pairs(folders, read_settings(), _say, arguments.rows or ROWS)
    if arguments.out:
        write_pairs(found, arguments.out)
    print(table(found))
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from trainer.evaluation.stored import FIGURES
    from trainer.jobs.commands import follow_to_end, opened, state_of
    from trainer.pages import HTML, MARKDOWN

    names = ("models", "dataset", "split", "rows", "seed", "pair", "task", "free", "url")
    usual = {"sense": "en-zh-gold", "translation": "translations"}
    arguments.dataset = arguments.dataset or usual[arguments.task]
    with opened() as (_, jobs):
        job = jobs.add("evaluate", {name: getattr(arguments, name) for name in names})
        print(f"job {job.id}: {state_of(job)}", flush=True)
        ended, folder = follow_to_end(jobs, job.id), jobs.folder(job.id)
    if ended == 0:
        print((folder / MARKDOWN).read_text(encoding="utf-8"))
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            for name in (FIGURES, MARKDOWN, HTML):
                shutil.copyfile(folder / name, arguments.out / name)
    return ended


def _demo(arguments: argparse.Namespace) -> int:
    from trainer.demo import run

    return run(arguments.home.resolve())


def _bundle(arguments: argparse.Namespace) -> int:
    from engine.settings import read_settings
    from trainer.bundle import make_bundle

    made = make_bundle(arguments.recipe, arguments.folder, read_settings())
    print(f"{arguments.folder}: {made.name}, {len(made.files)} files of data; see its README.md")
    return 0


def _adopt(arguments: argparse.Namespace) -> int:
    from trainer.adopt import adopt
    from trainer.jobs.commands import opened

    with opened() as (settings, jobs):
        job, folder = adopt(arguments.folder, jobs, settings.home)
    print(f"job {job.id}: {folder}")
    return 0


def _give_way() -> None:
    """Let readers' answers come first on a machine that trains and serves."""
    nice = 10 if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS
    psutil.Process().nice(nice)


def _say(event: dict) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
