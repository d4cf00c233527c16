"""The card of an exported dataset: what its rows are, whose, how many, and what was left out. Pure.

Its head is YAML for the hub. Names and origins come from people: there they are JSON strings, which
YAML reads as they are; below they are one line each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from db.dataset.shipped import ORIGIN
from db.store import Provenance
from engine.sense import CLASSES, Sense


@dataclass(frozen=True)
class About:
    """What is said of an export. `left_out`: how many rows are not in it, by reason."""

    name: str
    pair: str
    origins: tuple[Provenance, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    description: str = ""
    sha256: str = ""
    created: str = ""


@dataclass
class SplitCounts:
    """How many rows of a split there are, with a phrase, and with a split one."""

    rows: int = 0
    phrases: int = 0
    split_phrases: int = 0

    def add(self, sense: Sense) -> None:
        self.rows += 1
        if sense.phrase:
            members = sense.phrase.members
            self.phrases += 1
            self.split_phrases += members[-1] - members[0] + 1 > len(members)


def write_card(about: About, counts: Mapping[str, SplitCounts]) -> str:
    """The card as Markdown with its YAML head."""
    parts = [_head(about, counts), f"# {_line(about.name)}"]
    if about.description:
        parts.append(_line(about.description))
    parts += [_RULES.format(classes=", ".join(CLASSES)), _counts(counts), _origins(about)]
    parts.append(_left_out(about))
    if about.sha256:
        parts.append(
            f"Frozen {about.created[:10]} with CTX-Translator. SHA-256 of the rows, in order of "
            f"sentence and position: `{about.sha256}`."
        )
    return "\n\n".join(parts) + "\n"


def _head(about: About, counts: Mapping[str, SplitCounts]) -> str:
    rows = sum(split.rows for split in counts.values())
    lines = [
        "---",
        f"pretty_name: {json.dumps(about.name, ensure_ascii=False)}",
        f"license: {_licence(about)}",
        "language:",
        *(f"- {json.dumps(language)}" for language in about.pair.split("-", 1)),
        "task_categories:",
        "- token-classification",
        "- text-generation",
        "size_categories:",
        f"- {_size(rows)}",
        "configs:",
        "- config_name: default",
        "  data_files:",
    ]
    for split in counts:
        lines += [f"  - split: {split}", f"    path: data/{split}.parquet"]
    lines += ["dataset_info:", "  splits:"]
    for split, found in counts.items():
        lines += [f"  - name: {split}", f"    num_examples: {found.rows}"]
    return "\n".join([*lines, "---"])


def _licence(about: About) -> str:
    """That of the rows that ship with the app; who mixes others in has to say."""
    shipped = about.origins and all(one.origin == ORIGIN for one in about.origins)
    return "cc-by-4.0" if shipped else "other"


def _size(rows: int) -> str:
    for limit, name in ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"),
                        (10**6, "100K<n<1M")):  # fmt: skip
        if rows < limit:
            return name
    return "1M<n<10M"


def _counts(counts: Mapping[str, SplitCounts]) -> str:
    lines = ["| split | rows | with a phrase | with a split phrase |", "|---|---|---|---|"]
    lines += [
        f"| {split} | {found.rows:,} | {found.phrases:,} | {found.split_phrases:,} |"
        for split, found in counts.items()
    ]
    return "## Rows\n\n" + "\n".join(lines) + "\n\n" + _SPLITS


def _origins(about: About) -> str:
    lines = [
        f"- {one.rows:,} rows: {_line(one.name) or 'sentences that readers asked about'}"
        f"{'; ' + _line(one.origin) if one.origin else ''}; answers by: {one.source}"
        for one in about.origins
    ]
    text = "\n".join(lines) or "Nothing is known of where the rows are from."
    return f"## Where the rows are from\n\n{text}\n\n{_LICENCE}"


def _left_out(about: About) -> str:
    lines = [f"- {name.replace('_', ' ')}: {count:,}" for name, count in about.left_out.items()]
    return "## What was left out\n\n" + ("\n".join(lines) or "Nothing.")


def _line(text: str) -> str:
    """A person's text on one line, without what Markdown or HTML would make something else of."""
    plain = " ".join(text.split())
    for mark in "\\`*_[]<>|#":
        plain = plain.replace(mark, f"\\{mark}")
    return plain


_RULES = """\
A row answers one question: what does this word mean in this sentence, and does it belong to a fixed
phrase here?

| column | what it holds |
|---|---|
| `context` | the sentence |
| `target`, `idx` | the word as it stands there, and which occurrence of it, from 1, ignoring case |
| `class` | its part of speech here: {classes} |
| `zh` | its meaning here: short, in dictionary form, one sense |
| `phrase` | `words\\|meaning` of the fixed phrase it belongs to here, or empty |
| `source` | who answered: person, teacher or model |
| `attribution` | whom the sentence is owed to, where that is known |

A phrase is named only where its words together mean something that their separate meanings do not
give, or are frozen in form; its words stand as in the sentence, words between them left out, no
leading *a* or *an*. Every word of a phrase gives the same phrase. Inside an idiom `zh` is the
word's own sense. Words of an idiom that are meant literally have no phrase."""
_SPLITS = """\
Which split a sentence is in is a function of its words alone, in small letters and without marks:
90 % train, 5 % dev, 5 % test. It is the same in every dataset of this kind, for ever, so no
sentence of one's test rows stands among another's training rows."""
_LICENCE = "Licences are those of the sources; see `attribution` for sentences owed to somebody."
