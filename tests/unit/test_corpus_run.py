"""A corpus from files: read as a stream, cut into pieces that are never made twice, reported."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.split import SPLITS, split_of_translation
from tests.made_text import made_pairs
from tests.real import ROOT
from trainer.scratch.corpus import reading, run
from trainer.scratch.corpus.checks import prepare
from trainer.scratch.corpus.reading import CorpusError
from trainer.scratch.corpus.recipe import CorpusRecipe, is_hub_name
from trainer.scratch.corpus.run import make_corpus

NOISE = [
    "Zwei",
    "Mehr auf www.example.org heute",
    "It rains, and nobody wants to go out of the house before noon.",
]


def write(file: Path, lines: list[str]) -> Path:
    data = "".join(f"{line}\n" for line in lines).encode()
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
    return file


def make(folder: Path, *sources: Path, stops: int = 10**6, **fields: Any) -> Any:
    """The report and the events of a run that is stopped before a piece."""
    told: list[Any] = []
    recipe = CorpusRecipe(
        sources=tuple(map(str, sources)), shard_rows=100, index_mb=1,
        **{"similar": 0.0, "held_out": False, **fields},
    )  # fmt: skip

    def stopped() -> bool:
        return sum(event["event"] == "step" for event in told) >= stops

    return make_corpus(prepare(recipe), folder, told.append, stopped), told


def lines_of(folder: Path, language: str = "de") -> list[str]:
    return (folder / f"train.{language}.txt").read_text(encoding="utf-8").splitlines()


def made(folder: Path) -> dict[str, int]:
    """When each piece was written."""
    return {file.name: file.stat().st_mtime_ns for file in (folder / "shards").iterdir()}


def test_clean_lines_come_out_and_a_report_says_what_did_not(tmp_path: Path) -> None:
    good = [de for de, _ in made_pairs(150)]
    source = write(tmp_path / "a.txt.gz", [*good[:100], *NOISE, *good])
    report, told = make(tmp_path / "out", source)
    assert lines_of(tmp_path / "out") == good
    assert (report["rows"], report["kept"]) == (253, 150)
    assert {one["name"]: one["dropped"] for one in report["stages"] if one["dropped"]} == {
        "patterns": 1, "length": 1, "language": 1, "exact duplicates": 100,
    }  # fmt: skip
    samples = report["dropped"]["language"]["in en, not de"]["samples"]
    assert [text for _, text in samples] == [NOISE[2]]
    told_there = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert told_there == json.loads(json.dumps(report))
    page = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "150 of 253 rows" in page and "in en, not de" in page and NOISE[2] in page
    hashed = hashlib.sha256((tmp_path / "out" / "train.de.txt").read_bytes()).hexdigest()
    assert report["files"][0] == {
        "file": "train.de.txt", "language": "de", "rows": 150, "sha256": hashed,
    }  # fmt: skip
    steps = [event for event in told if event["event"] == "step"]
    assert [one["step"] for one in steps] == [100, 200, 253] and steps[0]["steps"] == 253


def test_a_run_that_was_stopped_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    lines = [de for de, _ in made_pairs(250)] * 2
    source = write(tmp_path / "a.txt", lines)
    whole, _ = make(tmp_path / "whole", source, similar=0.9)
    assert make(tmp_path / "out", source, similar=0.9, stops=2)[0] is None
    assert not (tmp_path / "out" / "report.json").exists()
    before = made(tmp_path / "out")
    again, _ = make(tmp_path / "out", source, similar=0.9)
    assert again == whole and lines_of(tmp_path / "out") == lines_of(tmp_path / "whole")
    assert len(before) == 6 and before.items() <= made(tmp_path / "out").items()


def test_what_is_done_is_not_done_again_but_what_depends_on_a_change_is(tmp_path: Path) -> None:
    lines = [de for de, _ in made_pairs(250)]
    source = write(tmp_path / "a.txt", lines)
    make(tmp_path / "out", source)
    before = made(tmp_path / "out")
    make(tmp_path / "out", source, name="another")
    assert made(tmp_path / "out") == before
    torn = next((tmp_path / "out" / "shards").glob("00001-*.tsv"))
    torn.write_text(torn.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    make(tmp_path / "out", source)
    mended = made(tmp_path / "out")
    assert {name for name in before if mended[name] != before[name]} == {
        torn.with_suffix(end).name for end in (".tsv", ".npy", ".json")
    }
    write(source, [*lines, "Noch ein Satz, der erst später dazu kam."])
    make(tmp_path / "out", source)
    assert len(lines_of(tmp_path / "out")) == 251
    assert sum(made(tmp_path / "out").get(name) == when for name, when in mended.items()) == 6
    make(tmp_path / "out", source, fewest_words=4)
    assert not made(tmp_path / "out").keys() & before.keys()


@pytest.mark.parametrize("form", ["aligned", "tsv", "jsonl", "parquet", "nested"])
def test_pairs_from_any_form_stay_together(tmp_path: Path, form: str) -> None:
    pairs = made_pairs(60)
    bad = [
        ("Es sind 20 da, und alle warten.", "There are 30, and all of them wait."),
        ("", "Nothing here"),
    ]
    rows = [*pairs, *bad, pairs[0]]
    fields: dict[str, Any] = {}
    if form == "aligned":
        sources = [
            write(tmp_path / f"a.{code}.gz", [row[n] for row in rows])
            for n, code in enumerate(("de", "en"))
        ]
    elif form == "tsv":
        sources = [write(tmp_path / "a.tsv", [f"{de}\t{en}\tby Ann" for de, en in rows])]
    elif form == "jsonl":
        fields["columns"] = ("source", "target")
        told = [json.dumps({"n": 1, "source": de, "target": en}) for de, en in rows]
        sources = [write(tmp_path / "a.jsonl", told)]
    else:
        from pyarrow import Table
        from pyarrow.parquet import write_table

        table = [{"de": de, "en": en} for de, en in rows]
        if form == "nested":
            table = [{"translation": row} for row in table]
        sources = [tmp_path / "a.parquet"]
        write_table(Table.from_pylist(table), sources[0])
    report, _ = make(tmp_path / "out", *sources, languages="de-en", **fields)
    assert list(zip(lines_of(tmp_path / "out"), lines_of(tmp_path / "out", "en"))) == pairs
    assert {one["name"]: one["dropped"] for one in report["stages"] if one["dropped"]} == {
        "Unicode": 1, "misaligned": 1, "exact duplicates": 1,
    }  # fmt: skip


def test_rows_are_held_out_as_everywhere_in_the_project(tmp_path: Path) -> None:
    pairs = made_pairs(300)
    source = write(tmp_path / "a.tsv", ["\t".join(pair) for pair in pairs])
    report, _ = make(tmp_path / "out", source, languages="de-en", held_out=True)
    counts = [one["rows"] for one in report["files"] if one["language"] == "de"]
    for split, count in zip(SPLITS, counts, strict=True):
        rows = [
            (tmp_path / "out" / f"{split}.{code}.txt").read_text(encoding="utf-8").splitlines()
            for code in ("de", "en")
        ]
        wanted = [pair for pair in pairs if split_of_translation(*pair, "de-en") == split]
        assert list(zip(*rows)) == wanted and len(wanted) == count > 0


def test_texts_of_several_lines_and_sentences_are_cut(tmp_path: Path) -> None:
    good = [de for de, _ in made_pairs(6)]
    texts = ["\n".join(good[:2]), " ".join(good[2:])]
    source = write(tmp_path / "a.jsonl", [json.dumps({"text": text}) for text in texts])
    make(tmp_path / "lines", source)
    assert lines_of(tmp_path / "lines") == [*good[:2], texts[1]]
    make(tmp_path / "sentences", source, sentences=True)
    assert lines_of(tmp_path / "sentences") == good


def test_files_of_somebodys_own_are_never_written_over(tmp_path: Path) -> None:
    mine = write(tmp_path / "train.de.txt", [de for de, _ in made_pairs(20)])
    with pytest.raises(CorpusError, match="choose another folder"):
        make(tmp_path, mine)
    assert len(mine.read_text(encoding="utf-8").splitlines()) == 20
    make(tmp_path / "out", mine, held_out=True)
    make(tmp_path / "out", mine)
    assert {file.name for file in (tmp_path / "out").glob("*.txt")} == {"train.de.txt"}


def test_a_run_that_was_killed_before_its_report_goes_on(tmp_path: Path, monkeypatch) -> None:
    good = [de for de, _ in made_pairs(120)]
    source, out = write(tmp_path / "a.txt", good), tmp_path / "out"
    make(out, source, held_out=True)
    (out / "report.json").unlink()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during, pytest.raises(KeyboardInterrupt):
        during.setattr(run, "write_report", killed)
        make(out, source)
    assert not (out / "report.json").exists() and lines_of(out) == good
    next((out / "shards").glob("*.npy")).write_bytes(b"")  # as a full disk leaves it
    assert make(out, source)[0]["kept"] == 120
    assert {file.name for file in out.glob("*.txt")} == {"train.de.txt"}
    write(out / "train.fr.txt", good)
    with pytest.raises(CorpusError, match="choose another folder"):
        make(out, source)


def test_a_carriage_return_ends_a_line_in_both_or_is_found_before(tmp_path: Path) -> None:
    pairs = made_pairs(20)
    for n, code in enumerate(("de", "en")):
        lines = [row[n] for row in pairs]
        (tmp_path / f"a.{code}").write_bytes("\r\n".join(lines).encode())
        (tmp_path / f"b.{code}").write_bytes("\n".join(lines).encode())
    (tmp_path / "b.de").write_bytes((tmp_path / "b.de").read_bytes().replace(b" ", b"\r", 1))
    make(tmp_path / "out", tmp_path / "a.de", tmp_path / "a.en", languages="de-en")
    assert len(lines_of(tmp_path / "out")) == 20
    with pytest.raises(CorpusError, match="21 and 20 lines"):
        make(tmp_path / "out", tmp_path / "b.de", tmp_path / "b.en", languages="de-en")


FRENCH = "Le train de huit heures est déjà parti, il faudra donc attendre le suivant."

_WHOLE = gzip.compress(random.Random(1).randbytes(300_000).hex().encode())
CUT = _WHOLE[: len(_WHOLE) - 20]  # behind what is looked at first
TURNED = _WHOLE[:-99_000] + bytes(9000) + _WHOLE[-90_000:]


@pytest.mark.parametrize(
    "code, files, fields",
    [
        ("no_source", {}, {}),
        ("no_file", {"a.txt": None}, {}),
        ("empty_corpus", {"a.txt": b""}, {}),
        ("wrong_language", {"a.txt": f"{FRENCH}\n".encode() * 30}, {}),
        ("not_utf8", {"a.txt": "Schöne Grüße\n".encode("cp1252")}, {}),
        ("unreadable", {"a.txt.gz": b"no gzip"}, {}),
        ("unreadable", {"a.txt.gz": CUT}, {}),
        ("unreadable", {"a.txt.gz": TURNED}, {}),
        ("unreadable", {"a.parquet": b"no parquet"}, {}),
        ("no_column", {"a.jsonl": b'{"line": "Ein Satz."}\n'}, {}),
        ("no_column", {"a.jsonl": b'{"text": 7}\n'}, {}),
        ("unreadable", {"a.jsonl": b'{"text": "Ein Satz."\n'}, {}),
        ("no_translation", {"a.de": b"Ein Satz.\n"}, {"languages": "de-en"}),
        ("not_aligned", {"a.de": b"Ein Satz.\nNoch einer.\n", "a.en": b"A sentence.\n"},
         {"languages": "de-en"}),
        ("nothing_left", {"a.txt": b"kurz\nzu kurz\n"}, {}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_clearly(tmp_path: Path, code: str, files, fields) -> None:
    for name, data in files.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    with pytest.raises(CorpusError) as error:
        make(tmp_path / "out", *(tmp_path / name for name in files), **fields)
    assert error.value.code == code, error.value
    assert all(name in str(error.value) for name in list(files)[:1]) or code == "nothing_left"


@pytest.mark.parametrize(
    "name",
    ["/etc", "../x", "text", "a/b/c", "a/b:c:d:e", "assets/texts", "a/../b", "~/x", "", "a/b c"],
)
def test_a_dataset_of_the_hub_is_no_path_and_no_reader_of_folders(tmp_path: Path, name) -> None:
    with pytest.raises(CorpusError) as error:
        make(tmp_path, Path(f"hub:{name}") if name else Path("hub:"))
    assert error.value.code == "no_hub_name"


def test_datasets_of_the_hub_are_known_by_their_names() -> None:
    for name in ("a/b", "wmt/wmt14:de-en", "a/b.c-d_e:20231101.de:train", "a/b::validation"):
        assert is_hub_name(name)


def test_what_is_missing_is_named_with_what_to_do(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(CorpusError, match="hub:nobody/nothing"):  # tests reach no hub
        prepare(CorpusRecipe(sources=("hub:nobody/nothing",)))
    monkeypatch.setattr(reading, "find_spec", lambda name: None)
    with pytest.raises(CorpusError, match="pip install -r"):
        prepare(CorpusRecipe(sources=(str(write(tmp_path / "a.txt", NOISE)),)))


def test_a_byte_that_is_no_utf8_costs_its_line_only(tmp_path: Path) -> None:
    good = [de for de, _ in made_pairs(30)]
    data = "".join(f"{line}\n" for line in [*good, "x" * 300_000]).encode()
    (tmp_path / "a.txt").write_bytes(data + b"Sch\xf6ne Gr\xfc\xdfe aus Ulm.\n")
    report, _ = make(tmp_path / "out", tmp_path / "a.txt")
    assert report["kept"] == 30 and list(report["dropped"]) == ["size", "Unicode"]


PEAKS = """
import resource, sys
from pathlib import Path
from trainer.scratch.corpus.checks import prepare
from trainer.scratch.corpus.recipe import CorpusRecipe
from trainer.scratch.corpus.run import make_corpus
for source in map(Path, sys.argv[1:]):
    recipe = CorpusRecipe(sources=(str(source),), shard_rows=1000, index_mb=2, language=False)
    report = make_corpus(prepare(recipe), source.with_suffix(""), lambda _: None, lambda: False)
    print(report["kept"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    def written(megabytes: int) -> Path:
        source = tmp_path / f"{megabytes}.txt"
        with source.open("w", encoding="utf-8") as out:
            for n, (good, _) in enumerate(made_pairs(20 * megabytes)):
                out.write(f"{good}\n" + f"{n} {'far too long ' * 1000}\n" * 4)
        return source

    arguments = [sys.executable, "-c", PEAKS, written(5), written(40)]
    told = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    few, many = (tuple(map(int, line.split())) for line in told.stdout.splitlines())
    assert many[0] > 4 * few[0] > 300 and many[1] - few[1] < 15, (few, many)
