"""What files hold: every form people have, and what is refused, line by line."""

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.dataset.formats import Bad, Row, Sentence, read_source, recognise
from db.dataset.importing import preview
from db.dataset.opening import Unreadable
from db.dataset.words import queries_of

FLAT = {"context": "Call me back.", "target": "back", "idx": 1, "class": "adverb", "zh": "回"}
FLAT |= {"phrase": "Call back|回电话"}


def wire(row):
    parts = [{k: row[k] for k in names} for names in (list(row)[:3], list(row)[3:])]
    return json.dumps(dict(zip(("prompt", "response"), map(json.dumps, parts))))


@pytest.fixture
def read(tmp_path):
    def reading(text, name="file.txt", encoding="utf-8"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        source = recognise(file)
        return source.format, list(read_source(source, "en-zh"))

    return reading


def held(lines):
    return [one for line in lines for one in line.holds]


def test_plain_text_gives_its_sentences_with_their_lines(read):
    kind, lines = read("It rained. We left.\n\nThen the sun came out.\n")
    assert kind == "text"
    assert [line.number for line in lines] == [1, 3]
    assert [s.context for s in held(lines)] == ["It rained.", "We left.", "Then the sun came out."]


def test_pairs_keep_translation_and_attribution(read):
    kind, lines = read("Hi.\t嗨。\tCC-BY 2.0 (Tom)\nRun.\t跑。\n", "cmn.txt")
    assert kind == "pairs"
    assert held(lines) == [Sentence("Hi.", "嗨。", "CC-BY 2.0 (Tom)"), Sentence("Run.", "跑。", "")]
    assert lines[0].raw == "Hi.\t嗨。\tCC-BY 2.0 (Tom)"


def test_quoted_cells_may_hold_line_ends(read):
    kind, lines = read('"He said ""go"",\nand left.",他走了\nNext.,下一个\n', "pairs.csv")
    assert kind == "pairs"
    assert [s.context for s in held(lines)] == ['He said "go", and left.', "Next."]
    assert [line.number for line in lines] == [1, 3]
    assert lines[0].raw == '"He said ""go"",\nand left.",他走了'


def test_rows_come_in_every_form(read, tmp_path):
    from pyarrow import Table
    from pyarrow.parquet import write_table

    table = tmp_path / "t.csv"
    with table.open("w", newline="") as out:
        writer = csv.DictWriter(out, FLAT)
        writer.writeheader()
        writer.writerow(FLAT)
    write_table(Table.from_pylist([FLAT]), tmp_path / "t.parquet")
    forms = [
        read(json.dumps(FLAT), "a.jsonl"),
        read(wire(FLAT), "b.jsonl"),
        read(table.read_bytes(), "c.csv"),
        read((tmp_path / "t.parquet").read_bytes(), "d.parquet"),
    ]
    assert [kind for kind, _ in forms] == ["flat", "wire", "table", "parquet"]
    for _, lines in forms:
        (row,) = held(lines)
        assert isinstance(row, Row) and row.query.position == 2
        assert row.sense.phrase.members == (0, 2) and row.sense.meaning == "回"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "cp1252"])
def test_any_encoding_people_have(read, encoding):
    other = "naïve café" if encoding == "cp1252" else "他昨天在银行里等了很久，然后回家了。"
    text = "".join(f"She waited at the bank number {n}.\t{other}\n" for n in range(40))
    _, lines = read(text, "pairs.tsv", encoding)
    assert [s.context for s in held(lines)][:1] == ["She waited at the bank number 0."]
    if encoding != "cp1252":
        assert held(lines)[0].translation == other


def test_a_file_whose_first_line_is_broken_is_known_by_the_others(read):
    kind, lines = read("{broken\n" + json.dumps(FLAT))
    assert kind == "flat" and [type(one) for one in held(lines)] == [Bad, Row]


def test_a_header_may_have_capitals(read):
    kind, lines = read(
        "Context,Target, IDX ,Class,Zh,Phrase\nCall me back.,back,1,adverb,回,\n", "a.csv"
    )
    assert kind == "table"
    (row,) = held(lines)
    assert (row.query.target, row.sense.meaning) == ("back", "回")


def test_a_cell_without_an_end_is_refused_alone(read):
    text = 'A first bank.\n"' + "x" * 200_000 + "\nA second bank.\n"
    _, lines = read(text, "a.csv")
    assert [line.number for line in lines] == [1, 2, 3]
    assert held(lines)[1].code == "unended_cell" and lines[1].raw.endswith("xxx")
    assert held(lines)[2].context == "A second bank."


@pytest.mark.parametrize(
    "content, name, code",
    [
        (b"", "a.txt", "empty_file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, "a.png", "not_text_file"),
        (b'{"id": 1}\n', "a.jsonl", "unknown_format"),
        (b"no parquet at all", "a.parquet", "not_text_file"),
    ],
)
def test_what_is_no_such_file_is_refused(read, content, name, code):
    with pytest.raises(Unreadable) as caught:
        read(content, name)
    assert caught.value.code == code


def test_bad_lines_have_their_reason_and_stop_no_others(read):
    good = json.dumps(FLAT)
    bad = {
        "{": "not_json",
        "[1]": "not_object",
        "7": "not_object",
        "null": "not_object",
        **{
            json.dumps(FLAT | changed): code
            for code, changed in {
                "target_not_found": {"target": "hat"},
                "idx_out_of_range": {"idx": 2},
                "target_inside_word": {"target": "al"},
                "missing_context": {"context": None},
                "context_not_text": {"context": 5},
                "target_not_text": {"target": ["me"]},
                "idx_not_number": {"idx": "first"},
                "no_target": {"target": " "},
                "unknown_class": {"class": "doing word"},
                "missing_class": {"class": ""},
                "missing_meaning": {"zh": " "},
                "answer_not_text": {"zh": 5},
                "phrase_without_meaning": {"phrase": "Call back|"},
                "phrase_of_one_word": {"phrase": "back|回"},
                "phrase_not_there": {"phrase": "me hat|我"},
            }.items()
        },
        json.dumps({"context": "Call me."}): "missing_target",
    }
    _, lines = read("\n".join([good, *bad, good]), "a.jsonl")
    found = held(lines)
    assert isinstance(found[0], Row) and isinstance(found[-1], Row)
    assert [one.code for one in found[1:-1]] == list(bad.values())
    assert lines[3].raw == "7" and lines[3].number == 4


def test_json_in_json_says_which_half_is_bad(read):
    bad = {
        "{": "not_json",
        json.dumps({"response": "{}"}): "missing_prompt",
        json.dumps({"prompt": "{}"}): "missing_response",
        json.dumps({"prompt": "{", "response": "{}"}): "prompt_not_json",
        json.dumps({"prompt": {}, "response": "{}"}): "prompt_not_json",
        json.dumps({"prompt": "{}", "response": "回"}): "response_not_json",
        json.dumps({"prompt": "{}", "response": "{}"}): "missing_context",
    }
    kind, lines = read("\n".join([wire(FLAT), *bad]), "a.jsonl")
    assert kind == "wire"
    assert [one.code for one in held(lines)[1:]] == list(bad.values())


def test_a_byte_that_does_not_fit_costs_only_its_line(read):
    text = b"Good one.\n" * 30_000 + b"Bad \xff one.\nLast one.\n"
    _, lines = read(text)
    found = held(lines)
    assert [one.code for one in found if isinstance(one, Bad)] == ["broken_character"]
    assert found[-1].context == "Last one."


def test_stop_words_are_not_asked_and_repeated_words_are():
    asked = queries_of("The bank is by the river bank.", "en-zh", 12)
    assert [(q.target, q.idx) for q in asked] == [("bank", 1), ("river", 1), ("bank", 2)]
    assert len(queries_of("red green blue white", "en-zh", 2)) == 2
    assert len(queries_of("நான் வந்தேன்", "ta-zh", 9)) == 2, "no list: every word"


def test_a_preview_counts_and_stores_nothing(tmp_path):
    file = tmp_path / "a.jsonl"
    question = {"context": "Call me back.", "target": "call", "idx": 1}
    file.write_text("\n".join([json.dumps(FLAT), json.dumps(question), "{"]))
    found = preview(file)
    assert (found.rows, found.sentences, found.queries) == (1, 1, 2)
    assert found.refused == {"not_json": 1} and found.bad[0].raw == "{"
    assert list(tmp_path.iterdir()) == [file]


@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.tsv", "a.csv", "a.jsonl"]))
@settings(max_examples=150, deadline=None)
def test_no_file_breaks_the_reader(tmp_path_factory, content, name):
    file = tmp_path_factory.mktemp("any") / name
    file.write_bytes(content)
    try:
        lines = list(read_source(recognise(file), "en-zh"))
    except Unreadable:
        return
    assert all(line.holds is not None for line in lines)
