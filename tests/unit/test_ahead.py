"""What another process reads ahead: the same, in order; its errors; and that it ends when nobody
listens."""

import multiprocessing
from collections.abc import Iterator
from functools import partial

import pytest

from db.dataset.ahead import ahead
from db.dataset.formats import Unreadable, recognise
from db.dataset.importing import batches_of, check_batches
from db.store.lines import Checked, check_line


def count(to: int) -> Iterator[int]:
    yield from range(to)


def fail(error: Exception) -> Iterator[int]:
    yield 1
    raise error


def fail_oddly() -> Iterator[int]:
    yield 1
    raise Odd("a", two="b")


class Odd(Exception):
    """An error that cannot be made of its words alone."""

    def __init__(self, one: str, *, two: str):
        super().__init__(one + two)


def test_it_gives_the_same_in_order():
    assert list(ahead(partial(count, 1000))) == list(range(1000))


@pytest.mark.parametrize("error", [Unreadable("not_text_file"), ValueError("no")])
def test_an_error_there_is_raised_here_behind_what_came_before(error):
    found = ahead(partial(fail, error))
    assert next(found) == 1
    with pytest.raises(type(error), match=str(error)[:10]):
        next(found)


def test_an_error_that_cannot_be_sent_says_its_words():
    with pytest.raises(RuntimeError, match="Odd: ab"):
        list(ahead(fail_oddly))


def test_the_other_process_ends_when_nobody_listens():
    before = set(multiprocessing.active_children())
    found = ahead(partial(count, 10**9))
    assert next(found) == 0
    (other,) = set(multiprocessing.active_children()) - before
    found.close()
    other.join(10)
    assert not other.is_alive()


def test_a_large_file_is_read_by_another_process_and_gives_the_same(tmp_path, monkeypatch):
    file = tmp_path / "rows.jsonl"
    row = '{"context": "Dogs %d bark.", "target": "bark", "idx": 1, "class": "verb", "zh": "吠"}'
    bad = "{broken"
    file.write_text("\n".join([row % n for n in range(300)] + [bad]), encoding="utf-8")
    source = recognise(file)
    here = [line for batch in check_batches(source, "en-zh", 5) for line in batch]
    monkeypatch.setattr("db.dataset.importing._LARGE", 1000)
    there = [line for batch in batches_of(source, "en-zh", 5) for line in batch]
    assert here == there and len(here) == 301
    assert here[0].queries == ((2, "bark", 1),) and here[-1].reason


def test_what_is_checked_is_plain_and_says_which_rules_it_breaks(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"context": "Dogs bark.", "target": "bark", "idx": 1, "class": "verb", "zh": "x"}'
    )
    ((line,),) = check_batches(recognise(file), "en-zh", 5)
    assert isinstance(line, Checked) and line.broken and line.detail == " ".join(line.broken)
    assert check_line.__doc__
