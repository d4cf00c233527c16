"""The end of a job's run: its card with brief scores, and whether readers may have the result."""

from __future__ import annotations

import json
from typing import Any

from engine.books import books_for
from engine.checking import CARD
from engine.decoding import SenseDecoder
from engine.prompt import SensePrompt
from trainer.card import Finished, Report, runner_of, write_card
from trainer.distil.gate import judge_student, judge_translator, note, verdict
from trainer.recipe import FULL, TRANSLATION, WIRE
from trainer.retention import Gate, Reference, judge
from trainer.splits import of_source, yardstick
from trainer.translated import write_translation_card
from trainer.watch import choose_rows


def finish(run: Finished, reference: Reference | None, tell: Report) -> None:
    """Score the result and judge whether it may be given to readers; both stand in its card."""
    if run.recipe.task == TRANSLATION:
        found = write_translation_card(run, tell, run.recipe.scored_rows)
        card = json.loads((run.folder / CARD).read_text(encoding="utf-8"))
        told = {"fit": card["fit"], "reason": card["reason"]}
        if run.teacher:
            told = write_verdict(run)
        return tell({"event": "result", **told, "scores": found})
    if run.recipe.style == WIRE:
        return tell({"event": "result", "fit": False, "reason": "style", "scores": {}})
    evaluations = write_card(run, tell, run.recipe.scored_rows)
    full = run.recipe.matrices == FULL  # no adapter, and its base is no longer the reference's
    scores = {name: found.figures() for name, found in evaluations.items()}
    if run.teacher:
        return tell({"event": "result", **write_verdict(run), "scores": scores})
    gate = _judge(run, reference) if reference and not full else None
    reason = gate.reason if gate else "full" if full else "not_compared" if reference else ""
    told = {"fit": not reason, "reason": reason, "reference": gate.told() if gate else {}}
    note(run, told)
    tell({"event": "result", **told, "scores": scores})


def write_verdict(run: Finished) -> dict[str, Any]:
    """What a student holds of its teacher and whether that is enough; it stands in its card."""
    if run.recipe.task == TRANSLATION:
        found = judge_translator(run)
    else:
        found = judge_student(run, decoder_of(run))
    told = verdict(found, run, run.recipe.matrices == FULL)
    card = json.loads((run.folder / CARD).read_text(encoding="utf-8"))
    if told["fit"] and not card.get("fit", True):  # its own scores speak against it
        told |= {"fit": False, "reason": card["reason"]}
    note(run, told)
    return told


def decoder_of(run: Finished) -> SenseDecoder:
    """What answers with a run's result, as readers would have it; its card is written before."""
    card = json.loads((run.folder / CARD).read_text(encoding="utf-8"))
    return SenseDecoder(
        runner_of(run),
        SensePrompt(run.base.tokenizer, run.recipe.style, run.recipe.pair.partition("-")[2]),
        books_for(run.recipe.pair),
        card["phrase_threshold"],
        card["phrase_favour"],
    )


def _judge(run: Finished, reference: Reference) -> Gate | None:
    """The comparison on dev rows of the yardstick; a teacher answered those of the run's own
    sources, and is compared on them."""
    decoder = decoder_of(run)
    dev = run.splits["dev"]
    rows = dev if reference.answers is not None else of_source(dev, yardstick(run.recipe, dev))
    told = [e for e in rows if reference.answers is None or e.query in reference.answers]
    chosen = choose_rows(told, run.recipe.scored_rows, 1)
    return judge(reference, run.base, decoder, chosen, run.recipe.retention)
