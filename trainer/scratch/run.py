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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from engine.files import write_whole
from engine.models import choose
from engine.settings import Settings
from trainer.fields import RecipeError
from trainer.history import read_history
from trainer.parallel import agree, make_accelerator, teller
from trainer.scratch.data import Data, Parallel, Text
from trainer.scratch.folder import new_net, save_model, start_from
from trainer.scratch.loss import make_loss, make_optimizer
from trainer.scratch.model import Translator
from trainer.scratch.recipe import FILE, Phase, ScratchRecipe, parse_scratch, save_scratch
from trainer.scratch.samples import Order, gap_samples, pair_samples
from trainer.scratch.tokenizer import FILE as TOKENIZER
from trainer.scratch.tokenizer import Codec, fertility, load_codec, train_tokenizer
from trainer.scratch.watch import Watch
from trainer.training import fit

PRETRAIN, FINETUNE, RANDOM = "pretrain", "finetune", "random"
MODEL, LOG, COSTS = "model", "log.jsonl", "tokenizer.costs.json"

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
    where it is not there yet; RecipeError where it is of another size or they hold too little."""
    wanted, languages = place.recipe.model.vocabulary, place.recipe.languages
    if start and not (place.folder / TOKENIZER).is_file():
        place.folder.mkdir(parents=True, exist_ok=True)
        write_whole(place.folder / TOKENIZER, load_codec(start).tokenizer.to_str(pretty=True))
    if (place.folder / TOKENIZER).is_file():
        codec = load_codec(place.folder)
        if codec.vocabulary != wanted:
            raise RecipeError(
                f"{place.folder} has a tokenizer of {codec.vocabulary} tokens, the recipe wants"
                f" {wanted}: choose another --folder"
            )
        return codec
    texts = place.data.texts()
    lines = [line for text in texts for line in text.lines if line]
    codec = Codec(train_tokenizer(lines, wanted, languages))
    costs = {one.path.name: fertility(codec, one.lines) for one in texts}
    place.folder.mkdir(parents=True, exist_ok=True)
    write_whole(place.folder / COSTS, json.dumps(costs, indent=2) + "\n")
    write_whole(place.folder / TOKENIZER, codec.tokenizer.to_str(pretty=True))
    place.report({"event": "tokenizer", "vocabulary": codec.vocabulary, "costs": costs})
    return codec


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
    watch = Watch([held_make(n, 0) for n in numbers], codec, recipe.pair, _dtype(place))
    net = new_net(recipe.model, phase.seed)
    return _train(place, PRETRAIN, phase, net, codec, order, watch, texts, "")


def finetune(place: Place, start: str = PRETRAIN) -> Path | None:
    """Learn to translate, from the pre-trained weights, RANDOM ones, or those in a folder; the
    model's folder, None when stopped."""
    recipe, phase = place.recipe, place.recipe.finetune
    train, dev = place.data.parallel("train"), place.data.parallel("dev")
    elsewhere = None if start in (PRETRAIN, RANDOM) else Path(start)
    codec = make_tokenizer(place, elsewhere)
    net = new_net(recipe.model, phase.seed)
    if start != RANDOM:
        start_from(net, codec, elsewhere or place.folder / PRETRAIN / MODEL)
    positions = recipe.model.positions
    samples = pair_samples(codec, train.source.lines, train.target.lines, recipe.pair, positions)
    order = Order(
        [len(one) for one in samples], lambda number, epoch: samples[number],
        phase.steps, phase.tokens, phase.seed, phase.accumulation,
    )  # fmt: skip
    watch = _watch(place, phase, codec, dev)
    name = RANDOM if start == RANDOM else FINETUNE
    texts = [train.source, train.target]
    return _train(place, name, phase, net, codec, order, watch, texts, start)


def _watch(place: Place, phase: Phase, codec: Codec, dev: Parallel) -> Watch:
    pair, positions = place.recipe.pair, place.recipe.model.positions
    lines = list(zip(dev.source.lines, dev.target.lines))
    sources, targets = zip(*_some(lines, phase.dev_rows))
    held = pair_samples(codec, sources, targets, pair, positions)
    read = codec.encode([one for one, _ in lines])
    # One that the model cannot read and write is no reason to end the run: its loss is taken.
    short = [line for line, ids in zip(lines, read) if 2 * (len(ids) + 2) <= positions]
    guard = _some(short, phase.guard_rows)
    asked, references = zip(*guard) if guard else ((), ())
    return Watch(held, codec, pair, _dtype(place), asked, references)


def _some(rows: Sequence[Any], count: int) -> list[Any]:
    """So many of the rows at most, the same always."""
    return random.Random(1).sample(rows, min(count, len(rows)))


def _dtype(place: Place) -> Any:
    return choose(place.settings).dtype


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
    begin(folder, recipe, name)
    if (folder / MODEL).is_dir():
        return folder / MODEL
    accelerator = make_accelerator(recipe, folder, place.settings)
    settings = agree(place.settings, accelerator)
    choice = choose(settings)
    if recipe.compiled:
        for layer in net.layers:
            layer.compile(dynamic=True)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        tell = teller(accelerator, log, place.report)
        tell({
            "event": "plan", "steps": phase.steps, "parameters": recipe.model.parameters(),
            "dtype": str(choice.dtype).removeprefix("torch."), "reason": choice.reason,
        })  # fmt: skip
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


def begin(folder: Path, recipe: ScratchRecipe, name: str) -> None:
    """Note in the folder which run it is of; RecipeError where it is another's."""
    file = folder / FILE
    if file.is_file():
        there = parse_scratch(json.loads(file.read_text(encoding="utf-8")))
        differ = _differences(there, recipe, name)
        if differ:
            raise RecipeError(
                f"{folder} holds a run of another recipe ({'; '.join(differ)}): choose another"
                " --folder, or delete it"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    save_scratch(recipe, file)


def _differences(there: ScratchRecipe, here: ScratchRecipe, name: str) -> list[str]:
    """In what two recipes differ that matters to a phase: its data, its model, its steps."""
    phase = PRETRAIN if name == PRETRAIN else FINETUNE
    parts = ("train", "dev", "texts", "holes", "span", "pair", "model", phase)
    old, new = asdict(there), asdict(here)
    return [
        f"{part}.{key} {old[part][key]!r}, not {value!r}"
        for part in parts
        if isinstance(new[part], dict)
        for key, value in new[part].items()
        if old[part][key] != value
    ] + [
        f"{part} {old[part]!r}, not {new[part]!r}"
        for part in parts
        if not isinstance(new[part], dict) and old[part] != new[part]
    ]


def _card(
    place: Place, name: str, phase: Phase, texts: Sequence[Text], start: str
) -> Mapping[str, Any]:
    recipe = place.recipe
    with (place.folder / name / LOG).open(encoding="utf-8") as log:
        history = read_history(map(json.loads, log))
    best = history.best or {}
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
