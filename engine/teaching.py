"""What a teacher is asked and what counts as its answer: templates that ship in assets/teacher,
and the reading of texts that come back, by the labelling rules. Pure: no server, no model.

A template is Markdown: what stands before its first heading is about the file; `## system`, pairs
of `## user` and `## assistant` as examples, `## ask`, and `## again` for an answer that was not
good. Blanks are `{like_this}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.rules import broken_rules
from engine.script import script_of
from engine.sense import CLASSES, Query, Sense, from_wire
from engine.settings import assets

Message = Mapping[str, str]
_NAME = re.compile(r"[a-z]{1,40}-[0-9]{1,4}")
_HEADING = re.compile(r"^## (system|user|assistant|ask|again) *$", re.MULTILINE)
_BLANK = re.compile(r"\{([a-z_]+)\}")
_THOUGHT = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
_MOST_STARTS = 50  # braces that an object is looked for behind

_MEANING = "meaning"  # what a teacher calls a meaning that is not in Chinese
_REPEATED = ("proper noun", "numeral")  # classes whose meaning may be the word itself
_BROKEN = {
    "meaning_too_long": '"{key}" has more than {longest} characters; give one dictionary form',
    "meaning_no_chinese": '"{key}" has no Chinese character; only a name or number stays as it is',
    "meaning_other_script": '"{key}" is not written in the target language',
    "several_meanings": '"{key}" lists several meanings; give the one that is meant here',
    "meaning_has_brackets": '"{key}" has brackets; give the meaning alone',
    "phrase_no_meaning": '"phrase" has no meaning behind the bar',
    "phrase_meaning_no_chinese": 'the half of "phrase" behind the bar has no Chinese character',
    "phrase_meaning_other_script": "the half behind the bar is not in the target language",
    "several_phrase_meanings": '"phrase" lists several meanings; give the one that is meant here',
    "phrase_with_article": '"phrase" begins with an indefinite article; leave it out',
    "meaning_is_phrase": '"{key}" repeats the meaning of the whole phrase; give the word\'s own',
}


# By what is asked: the template of English to Chinese, and that of all other pairs.
_TEMPLATES = {
    "sense": ("sense-1", "sense-2"),
    "translation": ("translation-1", "translation-2"),
}


class TemplateError(ValueError):
    """A template that there is not, or that cannot be read."""

    code = "template"


class BadAnswer(ValueError):
    """An answer that breaks the rules; its text is what the teacher is told."""


@dataclass(frozen=True)
class Template:
    """How something is asked: instructions, examples as pairs of question and answer, the question
    and what follows an answer that is not good; all but the examples with blanks."""

    name: str
    system: str
    examples: tuple[tuple[str, str], ...]
    ask: str
    again: str

    def messages(self, **blanks: str) -> list[Message]:
        """The conversation up to the question."""
        talk = [{"role": "system", "content": fill(self.system, blanks)}]
        for question, answer in self.examples:
            talk.append({"role": "user", "content": question})
            talk.append({"role": "assistant", "content": answer})
        return [*talk, {"role": "user", "content": fill(self.ask, blanks)}]

    def once_more(self, answer: str, reason: str) -> list[Message]:
        """What follows an answer that is not good."""
        return [
            {"role": "assistant", "content": answer},
            {"role": "user", "content": fill(self.again, {"reason": reason})},
        ]


def usual_template(task: str, pair: str) -> str:
    """The name of the template by which this task is asked about in a pair."""
    return _TEMPLATES[task][pair != "en-zh"]


def load_template(name: str) -> Template:
    """The template of this name; TemplateError where there is none."""
    file = assets() / "teacher" / f"{name}.md"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise TemplateError(f"there is no template {name!r}")
    return parse_template(name, file.read_text(encoding="utf-8"))


def parse_template(name: str, text: str) -> Template:
    """The template in a Markdown text."""
    _, *pieces = _HEADING.split(text)
    parts = [(role, body.strip()) for role, body in zip(pieces[::2], pieces[1::2], strict=True)]
    once = {role: body for role, body in parts if role in ("system", "ask", "again")}
    users = [body for role, body in parts if role == "user"]
    answers = [body for role, body in parts if role == "assistant"]
    if len(once) != 3 or len(users) != len(answers):
        raise TemplateError(f"template {name!r} lacks a part")
    examples = tuple(zip(users, answers, strict=True))
    return Template(name, once["system"], examples, once["ask"], once["again"])


def fill(text: str, blanks: Mapping[str, str]) -> str:
    """`text` with its blanks filled; what is filled in is not looked at again."""
    return _BLANK.sub(lambda found: blanks.get(found[1], found[0]), text)


def to_question(query: Query) -> str:
    """The query as a teacher reads it: the wire format's question."""
    asked = {"context": query.context, "target": query.target, "idx": query.idx}
    return json.dumps(asked, ensure_ascii=False)


def sense_schema(pair: str) -> dict[str, Any]:
    """The JSON schema of an answer about a word of this pair."""
    fields = ("class", _key_of(pair), "phrase")
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": dict.fromkeys(fields, text) | {"class": text | {"enum": list(CLASSES)}},
        "required": list(fields),
        "additionalProperties": False,
    }


def _key_of(pair: str) -> str:
    return "zh" if pair.endswith("-zh") else _MEANING


def read_sense(query: Query, text: str) -> Sense:
    """The sense that a teacher's text states; BadAnswer where it breaks the rules."""
    answer, key = read_object(text, "class"), _key_of(query.pair)
    try:
        sense = from_wire(query, {**answer, "zh": answer.get(key)})
    except ValueError as error:
        raise BadAnswer(str(error)) from error
    broken = broken_rules(query, sense)
    # Stricter than with people: a teacher that knows no better repeats the word.
    script = script_of(query.pair.partition("-")[2])
    repeats = sense.word_class in _REPEATED and sense.meaning.lower() == query.target.lower()
    if not broken and not repeats and not script.letter.search(sense.meaning):
        broken = ("meaning_no_chinese" if key == "zh" else "meaning_other_script",)
    if broken:
        blanks = {"key": key, "longest": str(script.longest)}
        raise BadAnswer("; ".join(fill(_BROKEN[rule], blanks) for rule in broken))
    return sense


def read_object(text: str, key: str) -> Mapping[str, Any]:
    """The first JSON object in a text that has this key, whatever stands around it; BadAnswer
    where there is none."""
    text = _THOUGHT.sub(" ", text)
    decoder = json.JSONDecoder()
    starts = [found.start() for found in re.finditer(r"\{", text)]
    for start in starts[:_MOST_STARTS]:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and key in found:
            return found
    raise BadAnswer(f'the answer is no JSON object with "{key}"')
