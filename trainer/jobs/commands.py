"""Jobs from a shell: make one and follow it, list them, ask things of them. Ctrl-C ends the
following, never the job.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.store import Job
    from engine.settings import Settings
    from trainer.jobs.queue import Jobs

_SECONDS = 0.5  # between looks at a job that is followed
_ASIDE = 20  # requests that were set aside and are printed
_MADE = {
    "teach": ("teacher", "let a teacher answer queries"),
    "write": ("sentences", "let a teacher write sentences that show a word or phrase"),
    "translate": ("translations", "let a teacher translate sentences"),
}
_OPTIONS = {"import_id": "import", "only_open": "open"}  # shorter than their fields
_NO_FIELDS = ("command", "kind", "show", "literally", "count")
_WISHES = {
    "stop": "save and end; it can be resumed",
    "pause": "wait; the job keeps its process and its slot",
    "resume": "go on with a job that is paused, stopped, interrupted or failed",
    "cancel": "end for good; answers that are stored stay",
}


def add_commands(commands: Any) -> None:
    """The commands about jobs, for a parser that has subcommands."""
    for name, (kind, text) in _MADE.items():
        made = commands.add_parser(name, help=text)
        _add_recipe(made, kind)
        made.set_defaults(command=_make, kind=kind)
    work = commands.add_parser("work", help="do a job in this process")
    work.add_argument("job", type=int, metavar="JOB")
    work.set_defaults(command=_work)
    listed = commands.add_parser("jobs", help="list the jobs")
    listed.set_defaults(command=_jobs)
    for name in ("follow", "watch", "log", "aside"):
        one = commands.add_parser(name, help=_SHOWS[name][0])
        one.add_argument("job", type=int, metavar="JOB")
        one.set_defaults(command=_SHOWS[name][1])
    report = commands.add_parser(
        "report", help="write a training run's report: HTML, Markdown, JSON"
    )
    report.add_argument("job", type=int, metavar="JOB")
    report.set_defaults(command=_report)
    for wish, text in _WISHES.items():
        asked = commands.add_parser(wish, help=text)
        asked.add_argument("job", type=int, metavar="JOB")
        if wish == "resume":
            asked.add_argument(
                "--aside", action="store_true", help="ask again what was set aside, too"
            )
        asked.set_defaults(command=_ask, wish=wish)
    _add_keeping(commands)


def _add_keeping(commands: Any) -> None:
    """The commands about what is kept of jobs, and in which order they go."""
    moved = commands.add_parser("move", help="put a queued job at another place of its queue")
    noted = commands.add_parser("note", help="keep a note on a job")
    removed = commands.add_parser("remove", help="delete a job that is over, with all its files")
    for one in (moved, noted, removed):
        one.add_argument("job", type=int, metavar="JOB")
    moved.add_argument("place", type=int, metavar="PLACE", help="from 1")
    noted.add_argument("text", metavar="TEXT", help='"" takes the note away')
    moved.set_defaults(command=_move)
    noted.set_defaults(command=_note)
    removed.set_defaults(command=_remove)


def _add_recipe(parser: argparse.ArgumentParser, kind: str) -> None:
    """An option for each field of the kind's recipe, with its help."""
    from trainer.jobs.kinds import find_kind

    for one in fields(find_kind(kind).recipe):
        option = f"--{_OPTIONS.get(one.name, one.name).replace('_', '-')}"
        told: dict[str, Any] = {"dest": one.name, "help": one.metadata["help"]}
        if one.name == "wanted":
            _add_shown(parser)
        elif isinstance(one.default, bool):
            parser.add_argument(option, action="store_true", default=argparse.SUPPRESS, **told)
        else:
            of = int if one.default is None else type(one.default)
            parser.add_argument(option, type=of, default=argparse.SUPPRESS, **told)


def _add_shown(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--show", action="append", default=[], metavar="TEXT[|MEANING]",
        help="a word or phrase to show, and its meaning in Chinese; can be given again",
    )  # fmt: skip
    parser.add_argument(
        "--literally", action="append", default=[], metavar="TEXT",
        help="a phrase whose words are to be meant literally; can be given again",
    )  # fmt: skip
    parser.add_argument("--count", type=int, default=5, help="sentences for each of them")


@contextmanager
def opened() -> Iterator[tuple[Settings, Jobs]]:
    from db.store import open_store
    from engine.settings import read_settings
    from trainer.jobs.queue import Jobs

    settings = read_settings()
    with open_store(settings.database) as store:
        yield settings, Jobs(store, settings.home)


def _make(arguments: argparse.Namespace) -> int:
    recipe = {key: value for key, value in vars(arguments).items() if key not in _NO_FIELDS}
    if arguments.kind == "sentences":
        shown = [(text.partition("|"), False) for text in arguments.show]
        shown += [(text.partition("|"), True) for text in arguments.literally]
        recipe["wanted"] = [
            {"text": text, "meaning": meaning, "literal": literal, "count": arguments.count}
            for (text, _, meaning), literal in shown
        ]
    with opened() as (_, jobs):
        job = jobs.add(arguments.kind, recipe)
        print(f"job {job.id}: {state_of(job)}", flush=True)
        return follow_to_end(jobs, job.id)


def _work(arguments: argparse.Namespace) -> int:
    from db.store import open_store
    from engine.settings import read_settings
    from trainer.jobs.stopping import watch_signals
    from trainer.jobs.work import work

    settings = read_settings()
    with open_store(settings.database) as store:
        state = work(store, settings, arguments.job, watch_signals())
    return {"done": 0, "failed": 1}.get(state, 130)


def _jobs(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        jobs.look()
        for job in jobs.list_jobs():
            print(f"{job.id}\t{job.created[:16]}\t{job.kind}\t{state_of(job)}\t{progress_of(job)}")
    return 0


def _follow(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        return follow_to_end(jobs, arguments.job)


def _watch(arguments: argparse.Namespace) -> int:
    from trainer.jobs.watching import watch_job

    with opened() as (_, jobs):
        return watch_job(jobs, arguments.job)


def _log(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        print(jobs.log(jobs.get(arguments.job).id).text, end="")
    return 0


def _aside(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        for one in jobs.requests(jobs.get(arguments.job).id, "set_aside", limit=_ASIDE):
            asked = f"{one.query.target!r} in {one.query.context}" if one.query else one.asked
            print(f"{one.number}\t{one.reason}\t{asked}")
            for text in one.outcome.answers:
                print(f"\t{text!r}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from trainer.report import read_events, write_report

    with opened() as (_, jobs):
        job = jobs.get(arguments.job)
        if job.kind not in ("train", "scratch"):
            print(f"job {job.id} is no training run", file=sys.stderr)
            return 2
        for file in write_report(job, read_events(jobs, job.id), jobs.folder(job.id)):
            print(file)
    return 0


_SHOWS = {
    "follow": ("say how far a job is until it ends", _follow),
    "watch": ("show a job live: what it tells, and how far it is", _watch),
    "log": ("print the end of a job's log", _log),
    "aside": ("print requests that were set aside, with the reason and what came back", _aside),
}


def _ask(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        jobs.look()
        if getattr(arguments, "aside", False):
            job = jobs.ask_again(arguments.job)
        else:
            job = getattr(jobs, arguments.wish)(arguments.job)
        print(f"job {job.id}: {state_of(job)}")
    return 0


def _move(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        job = jobs.move(arguments.job, arguments.place)
        print(f"job {job.id}: {state_of(job)}")
    return 0


def _note(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        jobs.write_note(arguments.job, arguments.text)
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    with opened() as (_, jobs):
        jobs.look()
        jobs.remove(arguments.job)
        print(f"job {arguments.job}: removed")
    return 0


def follow_to_end(jobs: Jobs, job_id: int) -> int:
    """Print how far the job is until no process has it and none will; 0 where it is done."""
    said: tuple[Any, ...] = ()
    try:
        while True:
            jobs.look()
            job = jobs.get(job_id)
            trouble = job.figures.get("trouble", {}).get("waiting")
            news = (job.state, job.place, job.asked, job.done, job.total, trouble)
            if news != said:
                print(f"job {job.id}: {state_of(job)}, {progress_of(job)}", flush=True)
                said = news
            if job.state not in ("queued", "running", "paused"):
                return 0 if job.state == "done" else 1
            time.sleep(_SECONDS)
    except KeyboardInterrupt:
        print(f"\njob {job_id} goes on; python -m trainer stop {job_id} stops it", file=sys.stderr)
        return 130


def state_of(job: Job) -> str:
    """The job's state in words, with its place in the queue and what is asked of it."""
    if job.state == "queued":
        return f"queued #{job.place}"
    if job.asked:
        return f"{job.state}, asked to {job.asked}"
    return f"{job.state}: {job.detail or job.error}" if job.error else job.state


def progress_of(job: Job) -> str:
    """How far the job is, in words."""
    figures, trouble = job.figures, job.figures.get("trouble", {})
    parts = [f"{job.done} of {'?' if job.total is None else job.total}"]
    if figures.get("form"):
        parts.append(str(figures["form"]))
    if figures.get("of_rows"):
        parts.append(f"{figures.get('rows', 0)} of {figures['of_rows']} rows")
    if figures.get("set_aside"):
        parts.append(f"{figures['set_aside']} set aside")
    if figures.get("tokens_out"):
        parts.append(f"{figures['tokens_in']} + {figures['tokens_out']} tokens")
    if job.state == "running" and trouble.get("waiting"):
        parts.append(f"waits, {trouble['waiting']}: {' '.join(trouble['detail'].split())[:160]}")
    elif job.state == "running" and figures.get("left_seconds") is not None:
        parts.append(f"{figures['left_seconds']:.0f} s left")
    return ", ".join(parts)
