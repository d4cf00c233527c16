"""The runs of a model from nothing: its tokenizer, pre-training, fine-tuning, each in a folder.

`RUN/tokenizer.json`, then `RUN/pretrain`, `RUN/finetune` and `RUN/random` (the same fine-tuning
from random weights), each with its log, its checkpoints and at last `model/`. A run that was
stopped or killed goes on when it is called again.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from engine.files import write_whole
from engine.models import choose
from engine.settings import Settings
from trainer.evaluation.during import load_vectors
from trainer.history import read_history
from trainer.parallel import agree, make_accelerator, teller
from trainer.scratch.begun import (
    FINETUNE,
    LOG,
    MODEL,
    PRETRAIN,
    RANDOM,
    begin,
    choose_numbers,
    end_torn_line,
    note_numbers,
    read_events,
    weights_of,
)
from trainer.scratch.data import Data, Parallel, Text
from trainer.scratch.errors import ScratchError
from trainer.scratch.folder import new_net, save_model, start_from
from trainer.scratch.loss import make_loss, make_optimizer
from trainer.scratch.model import Translator
from trainer.scratch.recipe import Finetuning, Phase, ScratchRecipe
from trainer.scratch.samples import Order, Sample, gap_samples, pair_samples
from trainer.scratch.tokenizer import FILE as TOKENIZER
from trainer.scratch.tokenizer import Codec, fertility, load_codec, train_tokenizer
from trainer.scratch.watch import Watch
from trainer.training import fit

COSTS = "tokenizer.costs.json"

Report = Callable[[dict[str, Any]], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Place:
    """A recipe at work: where it lies (`home`), where its runs lie, whom events are told."""

    recipe: ScratchRecipe
    home: Path
    folder: Path
    settings: Settings
    report: Report = print
    stopped: Stopped = lambda: False

    @property
    def data(self) -> Data:
        return Data(self.recipe, self.home, self.settings.data)


def make_tokenizer(place: Place, start: Path | None = None) -> Codec:
    """The run's tokenizer: that of the model in `start`, or made of the texts to pre-train on,
    where it is not there yet; ScratchError where it is of another size or they hold too little."""
    wanted, languages = place.recipe.model.vocabulary, place.recipe.languages
    if start and not (place.folder / TOKENIZER).is_file():
        place.folder.mkdir(parents=True, exist_ok=True)
        write_whole(place.folder / TOKENIZER, load_codec(start).tokenizer.to_str(pretty=True))
    if (place.folder / TOKENIZER).is_file():
        codec = load_codec(place.folder)
        if codec.vocabulary != wanted:
            raise ScratchError(
                "other_tokenizer",
                f"{place.folder} has a tokenizer of {codec.vocabulary} tokens, the recipe wants"
                f" {wanted}: choose another --folder",
            )
        return codec
    texts = place.data.texts()
    lines = [line for text in texts for line in text.lines if line]
    codec = Codec(train_tokenizer(lines, wanted, languages))
    costs = _cost(codec, texts)
    place.folder.mkdir(parents=True, exist_ok=True)
    write_whole(place.folder / COSTS, json.dumps(costs, indent=2) + "\n")
    write_whole(place.folder / TOKENIZER, codec.tokenizer.to_str(pretty=True))
    place.report({"event": "tokenizer", "vocabulary": codec.vocabulary, "costs": costs})
    return codec


def costs_of(place: Place) -> dict[str, dict[str, float]]:
    """What the run's tokenizer costs each text: as it was noted when it was made, or counted now
    where it came with the weights that the run began with."""
    try:
        return dict(json.loads((place.folder / COSTS).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return _cost(load_codec(place.folder), place.data.texts())


def _cost(codec: Codec, texts: Sequence[Text]) -> dict[str, dict[str, float]]:
    return {one.path.name: fertility(codec, one.lines) for one in texts}


def pretrain(place: Place) -> Path | None:
    """Learn both languages by filling holes; the model's folder, None when stopped."""
    recipe = place.recipe
    texts, codec = place.data.texts(), make_tokenizer(place)
    phase, positions = recipe.pretrain, recipe.model.positions
    named = [(text.language, [line for line in text.lines if line]) for text in texts]
    lengths, make = gap_samples(codec, named, positions, phase.seed, recipe.holes, recipe.span)
    order = Order(lengths, make, phase.steps, phase.tokens, phase.seed, phase.accumulation)
    dev = place.data.parallel("dev")
    sides = [(text.language, text.lines) for text in (dev.source, dev.target)]
    held_lengths, held_make = gap_samples(
        codec, sides, positions, phase.seed, recipe.holes, recipe.span
    )
    numbers = _some(range(len(held_lengths)), phase.dev_rows)
    watch = Watch([held_make(n, 0) for n in numbers], codec, recipe.pair)
    net = new_net(recipe.model, phase.seed)
    begin(place.folder / PRETRAIN, recipe, PRETRAIN, "")
    return _train(place, PRETRAIN, phase, net, codec, order, watch, texts, "")


def finetune(place: Place, start: str = PRETRAIN) -> Path | None:
    """Learn to translate, from the pre-trained weights, RANDOM ones, or those in a folder; the
    model's folder, None when stopped."""
    recipe, phase = place.recipe, place.recipe.finetune
    train, dev = place.data.parallel("train"), place.data.parallel("dev")
    elsewhere = None if start in (PRETRAIN, RANDOM) else Path(start)
    codec = make_tokenizer(place, elsewhere)
    net = new_net(recipe.model, phase.seed)
    name, begun = RANDOM if start == RANDOM else FINETUNE, ""
    if start != RANDOM:
        weights = elsewhere or place.folder / PRETRAIN / MODEL
        start_from(net, codec, weights)
        begun = weights_of(weights)
    begin(place.folder / name, recipe, name, begun)
    samples = _pairs(place, codec, train, "train")
    order = Order(
        [len(one) for one in samples], lambda number, epoch: samples[number],
        phase.steps, phase.tokens, phase.seed, phase.accumulation,
    )  # fmt: skip
    watch = _watch(place, phase, codec, dev)
    texts = [train.source, train.target]
    return _train(place, name, phase, net, codec, order, watch, texts, start)


def _pairs(place: Place, codec: Codec, text: Parallel, name: str, most: int = 0) -> list[Sample]:
    """The text's pairs (`most` of them, if said) as samples; ScratchError where the model has room
    for none."""
    recipe, positions = place.recipe, place.recipe.model.positions
    lines = list(zip(text.source.lines, text.target.lines))
    sources, targets = zip(*(_some(lines, most) if most else lines))
    samples = pair_samples(codec, sources, targets, recipe.pair, positions)
    if not samples:
        raise ScratchError(
            "few_positions", f"model.positions = {positions}: no pair of {name} is that short"
        )
    return samples


def _watch(place: Place, phase: Finetuning, codec: Codec, dev: Parallel) -> Watch:
    pair, positions = place.recipe.pair, place.recipe.model.positions
    lines = list(zip(dev.source.lines, dev.target.lines))
    held = _pairs(place, codec, dev, "dev", phase.dev_rows)
    read = codec.encode([one for one, _ in lines])
    # One that the model cannot read and write is no reason to end the run: its loss is taken.
    short = [line for line, ids in zip(lines, read) if 2 * (len(ids) + 2) <= positions]
    guard = _some(short, phase.guard_rows)
    asked, references = zip(*guard) if guard else ((), ())
    return Watch(held, codec, pair, asked, references)


def _some(rows: Sequence[Any], count: int) -> list[Any]:
    """So many of the rows at most, the same always."""
    return random.Random(1).sample(rows, min(count, len(rows)))


def _train(
    place: Place,
    name: str,
    phase: Phase,
    net: Translator,
    codec: Codec,
    order: Order,
    watch: Watch,
    texts: Sequence[Text],
    start: str,
) -> Path | None:
    """One phase in its folder; the model's folder, None when stopped."""
    recipe, folder = place.recipe, place.folder / name
    if (folder / MODEL).is_dir():
        return folder / MODEL
    found = choose_numbers(folder, place.settings)
    settings = replace(place.settings, dtype=found.dtype_name)
    accelerator = make_accelerator(recipe, folder, settings)
    choice = replace(choose(agree(settings, accelerator)), reason=found.reason)
    if accelerator.is_main_process:
        note_numbers(folder, choice)
    watch = replace(watch, compute=choice.dtype)
    if recipe.compiled:
        for layer in net.layers:
            layer.compile(dynamic=True)
    end_torn_line(folder)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        tell = teller(accelerator, log, place.report)
        tell({
            "event": "plan", "steps": phase.steps, "parameters": recipe.model.parameters(),
            "dtype": choice.dtype_name, "reason": choice.reason,
        })  # fmt: skip
        if watch.sources and accelerator.is_main_process:
            watch = watch.with_vectors(load_vectors(place.settings, tell))
        spent = _Spent()
        done = fit(
            net.to(choice.device), phase, order, watch, None, folder, tell, place.stopped,
            choice.dtype, accelerator, make_loss(phase), make_optimizer,
        )  # fmt: skip
        tell({"event": "spent", **spent.told()})
    if done and accelerator.is_main_process:
        save_model(folder / MODEL, net, codec, _card(place, name, phase, texts, start))
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return folder / MODEL if done else None


def _card(
    place: Place, name: str, phase: Phase, texts: Sequence[Text], start: str
) -> Mapping[str, Any]:
    recipe = place.recipe
    best = read_history(read_events(place.folder / name)).best or {}
    return {
        "version": 1, "name": recipe.name, "pair": recipe.pair, "phase": name, "start": start,
        "parameters": recipe.model.parameters(), "steps": phase.steps,
        "dev": {key: best[key] for key in ("step", "dev_loss", "bleu", "score") if key in best},
        "data": [one.told() for one in texts],
        "origin": recipe.origin, "licence": recipe.licence,
    }  # fmt: skip


class _Spent:
    """What a run takes: seconds on the clock, and of processors."""

    def __init__(self) -> None:
        self._clock, self._times = time.monotonic(), psutil.Process().cpu_times()

    def told(self) -> dict[str, float]:
        now = psutil.Process().cpu_times()
        processor = now.user - self._times.user + now.system - self._times.system
        return {"seconds": time.monotonic() - self._clock, "processor_seconds": processor}
