"""Files into the store and out again: nothing twice, nothing lost, all of it taken back."""

import json
import subprocess
import sys
import zipfile

import pandas
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from db.dataset.exporting import FORMATS, export, export_dataset
from db.dataset.folder import zip_folder
from db.dataset.hub import push
from db.dataset.importing import bring
from db.dataset.rows import flat
from db.store import Filter, Origin, Refused, open_store
from engine.sense import CLASSES, Query, Sense, ask
from tests.real import ROOT

ROWS = [
    ("Call me back.", "back", 1, "adverb", "回", "Call back|回电话"),
    ("Call me back.", "me", 1, "pronoun", "我", ""),
    ("The bank is closed.", "bank", 1, "noun", "银行", ""),
]
COLUMNS = ("context", "target", "idx", "class", "zh", "phrase")
TEACHER = Origin("", "", who="T")
PEOPLE = Origin("", "", who="Ann", source="person", status="accepted")


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "ctx.db") as store:
        yield store


def write(file, rows=ROWS):
    file.write_text("\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in rows) + "\n")
    return file


def told(store, **options):
    return [flat(row) for row in store.exports.answered("en-zh", **options)]


def test_rows_become_queries_and_proposals(store, tmp_path):
    number, counts = bring(store, write(tmp_path / "a.jsonl"), TEACHER)
    assert (counts.queries, counts.labels, counts.sentences) == (3, 3, 2)
    (label,) = store.labels.history(ask("Call me back.", "back"))
    assert (label.source, label.who, label.status) == ("teacher", "T", "proposed")
    assert [tuple(row.values()) for row in told(store)] == ROWS
    assert told(store, accepted=True) == []
    (found,) = store.imports.list_imports()
    assert (found.id, found.name, found.format, found.lines) == (number, "a.jsonl", "flat", 3)
    assert found.finished and not found.undone


def test_the_same_file_again_adds_nothing(store, tmp_path):
    file = write(tmp_path / "a.jsonl")
    bring(store, file, TEACHER)
    _, counts = bring(store, file, TEACHER)
    assert (counts.queries, counts.known, counts.labels, counts.sentences) == (0, 3, 0, 0)
    _, other = bring(store, file, Origin("", "", who="another"))
    assert other.labels == 3, "another teacher's word stands beside"


def test_refused_lines_stay_verbatim_with_their_reason(store, tmp_path):
    file = write(tmp_path / "a.jsonl")
    file.write_text(file.read_text() + '{"context": "A cat.", "target": "dog"}\n{broken\n')
    number, counts = bring(store, file, TEACHER)
    assert counts.refused == {"target_not_found": 1, "not_json": 1}
    refused = store.imports.refused(number)
    assert [(one.number, one.raw, one.reason) for one in refused] == [
        (4, '{"context": "A cat.", "target": "dog"}', "target_not_found"),
        (5, "{broken", "not_json"),
    ]
    assert store.imports.refused(number, after=4)[0].number == 5


def test_an_undone_import_counts_no_more_but_for_what_others_brought(store, tmp_path):
    first, _ = bring(store, write(tmp_path / "a.jsonl"), TEACHER)
    bring(store, write(tmp_path / "b.jsonl", ROWS[:1]), TEACHER)
    store.labels.add_label(ask("Call me back.", "me"), Sense("pronoun", "我"), "person", "Ann",
                           "accepted")  # fmt: skip
    store.imports.undo(first)
    assert [row["target"] for row in told(store)] == ["back", "me"]
    assert store.exports.counts("en-zh") == {
        "queries": 2, "answered": 2, "accepted": 1, "conflicts": 0, "not_counted": 1,
    }  # fmt: skip
    assert len(store.labels.history(ask("The bank is closed.", "bank"))) == 1, "labels are history"
    with pytest.raises(Refused):
        store.imports.undo(first)
    with pytest.raises(Refused):
        store.imports.undo(99)


def test_undone_answers_of_people_count_no_more(store, tmp_path):
    number, _ = bring(store, write(tmp_path / "a.jsonl"), PEOPLE)
    assert len(told(store, accepted=True)) == 3
    store.imports.undo(number)
    assert told(store) == []


def test_a_persons_decision_stands_before_proposals(store, tmp_path):
    bring(store, write(tmp_path / "a.jsonl"), TEACHER)
    back, bank = ask("Call me back.", "back"), ask("The bank is closed.", "bank")
    store.labels.add_label(back, Sense("adverb", "回来"), "person", "Ann", "accepted")
    store.labels.add_label(back, Sense("noun", "后背"), "model", "e1", "proposed")
    store.labels.add_label(bank, Sense("noun", "银行"), "person", "Ann", "rejected")
    assert [(row["target"], row["zh"]) for row in told(store)] == [("back", "回来"), ("me", "我")]


def test_sentences_become_queries_with_their_translation(store, tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("The bank is closed.\t银行关门了。\tTom\nThe bank is closed!\t银行关门了！\n")
    number, counts = bring(store, file, TEACHER)
    assert (counts.queries, counts.sentences, counts.similar) == (4, 2, 1)
    assert store.imports.similar("en-zh") == (("The bank is closed.", "The bank is closed!"),)
    assert store.exports.counts("en-zh")["queries"] == 4
    store.imports.undo(number)
    assert store.exports.counts("en-zh")["queries"] == 0


def test_a_stopped_import_is_unfinished_and_goes_on_when_brought_again(store, tmp_path):
    rows = [(f"Number {n} is a bank.", "bank", 1, "noun", "银行", "") for n in range(4500)]
    file = write(tmp_path / "a.jsonl", rows)
    _, part = bring(store, file, TEACHER, tick=lambda lines, counts: False)
    assert 0 < part.queries < 4500
    assert store.imports.list_imports()[0].finished is None
    _, rest = bring(store, file, TEACHER)
    assert part.queries + rest.queries == 4500 and len(told(store)) == 4500


def test_a_frozen_dataset_stays_as_it_was(store, tmp_path):
    bring(store, write(tmp_path / "a.jsonl"), TEACHER)
    with pytest.raises(Refused):
        store.datasets.freeze("first", "en-zh")  # nothing is accepted yet
    back = ask("Call me back.", "back")
    store.labels.add_label(back, Sense("adverb", "回来"), "person", "Ann", "accepted")
    first = store.datasets.freeze("first", "en-zh", description="of one", who="Ann")
    assert (first.rows, first.accepted_only, first.description) == (1, True, "of one")
    store.labels.add_label(back, Sense("adverb", "返回"), "person", "Bob", "accepted")
    whole = store.datasets.freeze("whole", "en-zh", accepted=False)
    assert whole.rows == 3 and whole.sha256 != first.sha256
    assert [d.name for d in store.datasets.list_datasets()] == ["whole", "first"]
    out = tmp_path / "out.jsonl"
    assert export_dataset(store, out, "flat", "first") == {"written": 1}
    assert json.loads(out.read_text(encoding="utf-8"))["zh"] == "回来"
    for name in ("first", ""):
        with pytest.raises(Refused):
            store.datasets.freeze(name, "en-zh", accepted=False)
    with pytest.raises(Refused):
        export_dataset(store, out, "flat", "none")


def test_the_same_rows_have_the_same_hash_in_any_order(tmp_path):
    hashes = set()
    for number, rows in enumerate((ROWS, ROWS[::-1])):
        with open_store(tmp_path / f"{number}.db") as store:
            bring(store, write(tmp_path / "a.jsonl", rows), PEOPLE)
            hashes.add(store.datasets.freeze("all", "en-zh").sha256)
    assert len(hashes) == 1


WORDS = st.lists(
    st.sampled_from(["call", "me", "back", "bank", "it's", "a"]), min_size=2, max_size=7
)
MEANINGS = st.text("回电话银行的…", min_size=1, max_size=4)


@st.composite
def a_row(draw):
    context = " ".join(draw(WORDS))
    query = Query(context, draw(st.integers(0, len(context.split()) - 1)))
    others = [i for i in range(len(query.words)) if i != query.position]
    phrase = ""
    if draw(st.booleans()):
        members = sorted({query.position, draw(st.sampled_from(others))})
        phrase = " ".join(query.words[i].text for i in members) + "|" + draw(MEANINGS)
    return (
        context,
        query.target,
        query.idx,
        draw(st.sampled_from(CLASSES)),
        draw(MEANINGS),
        phrase,
    )


@given(st.lists(a_row(), min_size=1, max_size=6), st.sampled_from(FORMATS), st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_import_export_import_gives_the_same_rows(tmp_path_factory, rows, form, frozen):
    folder = tmp_path_factory.mktemp("round")
    names = {"flat": "x.jsonl", "wire": "x.jsonl", "csv": "x.csv", "parquet": "x.parquet"}
    with open_store(folder / "one.db") as one, open_store(folder / "two.db") as two:
        bring(one, write(folder / "a.jsonl", rows), TEACHER)
        out = folder / names.get(form, "x")
        if frozen:
            assume(one.datasets.survey("en-zh", accepted=False).rows)
            made = one.datasets.freeze("all", "en-zh", accepted=False, leave_out=True)
            counts, wanted = export_dataset(one, out, form, "all"), made.rows
            kept = [flat(row) for row in one.exports.of_dataset("all")]
        else:
            counts = export(one, out, form, "en-zh", accepted=False)
            kept, wanted = told(one), len(told(one))
            assert counts["unanswered"] == 0
        for file in sorted(out.rglob("*.parquet")) if out.is_dir() else [out]:
            bring(two, file, TEACHER)
        assert sorted(told(two), key=str) == sorted(kept, key=str)
        assert form == "hf" or told(two) == kept
        assert counts["written"] == wanted
        if frozen:
            again = two.datasets.freeze("all", "en-zh", accepted=False)
            assert again.sha256 == made.sha256


WIRE = (
    '{"prompt":"{\\"context\\": \\"Call me back.\\", \\"target\\": \\"back\\"}", '
    '"response": "{\\"class\\": \\"ADV\\", \\"zh\\": \\"回\\", \\"phrase\\": null}", "more": 1}'
)


def test_rows_of_the_first_format_go_out_to_the_letter(store, tmp_path):
    file, out = tmp_path / "first.jsonl", tmp_path / "out.jsonl"
    file.write_text(WIRE + "\n", encoding="utf-8")
    bring(store, file, TEACHER)
    assert export(store, out, "wire", "en-zh", accepted=False)["verbatim"] == 1
    assert out.read_text(encoding="utf-8") == WIRE + "\n"
    back = ask("Call me back.", "back")
    store.labels.add_label(back, Sense("adverb", "回"), "person", "Ann", "accepted")
    assert export(store, out, "wire", "en-zh", accepted=True)["verbatim"] == 1, "says the same"
    store.labels.add_label(back, Sense("adverb", "回来"), "person", "Ann", "accepted")
    told = export(store, out, "wire", "en-zh", accepted=True)
    assert (told["written"], told["verbatim"]) == (1, 0)
    assert json.loads(json.loads(out.read_text(encoding="utf-8"))["response"])["zh"] == "回来"


def test_a_folder_for_hugging_face(store, tmp_path):
    rows = [(f"Number {n} is a bank.", "bank", 1, "noun", "银行", "") for n in range(100)]
    file = write(tmp_path / "a.jsonl", [*rows, ROWS[0]])
    bring(store, file, Origin("", "", text="found *here* # no title", who="T"))
    made = store.datasets.freeze(
        'a: "b" # - {', "en-zh", accepted=False, description="<b>x</b>\n# a title"
    )
    out, ticks = tmp_path / "folder", []
    counts = export_dataset(store, out, "hf", made.name, ticks.append)
    assert counts == {"written": 101, **made.splits}
    frames = {f.stem: pandas.read_parquet(f) for f in (out / "data").iterdir()}
    assert {name: len(frame) for name, frame in frames.items()} == made.splits
    first = frames["train"].iloc[0]
    assert list(first.index) == [*COLUMNS, "source", "attribution"]
    assert (first["zh"], first["idx"], first["source"]) == ("银行", 1, "teacher")
    head, _, text = (out / "README.md").read_text(encoding="utf-8")[4:].partition("\n---\n")
    card = yaml.safe_load(head)
    assert card["pretty_name"] == made.name and card["license"] == "other"
    assert card["language"] == ["en", "zh"]
    assert {one["name"]: one["num_examples"] for one in card["dataset_info"]["splits"]} == (
        made.splits
    )
    for one in card["configs"][0]["data_files"]:
        assert (out / one["path"]).is_file()
    assert "\\<b\\>x" in text and "\n# a title" not in text and made.sha256 in text
    with pytest.raises(FileExistsError):
        export_dataset(store, out, "hf", made.name)
    zip_folder(out, tmp_path / "folder.zip")
    with zipfile.ZipFile(tmp_path / "folder.zip") as packed:
        assert "README.md" in packed.namelist() and "data/train.parquet" in packed.namelist()


def test_an_export_by_filter_says_what_it_leaves_out(store, tmp_path):
    bring(store, write(tmp_path / "a.jsonl"), PEOPLE)
    out = tmp_path / "out.csv"
    counts = export(store, out, "csv", "en-zh", accepted=True, chosen=Filter(word_class="noun"))
    assert counts == {
        "written": 1, "unanswered": 0, "undone": 0, "not_accepted": 0, "not_chosen": 2,
    }  # fmt: skip


def test_pushing_needs_a_token_and_a_plain_name(store, tmp_path, monkeypatch):
    calls = []

    class Hub:
        def __init__(self, token):
            calls.append(token)

        def create_repo(self, repo, **options):
            calls.append((repo, options))

        def upload_folder(self, folder_path, **options):
            calls.append(sorted(p.name for p in folder_path.rglob("*") if p.is_file()))

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    bring(store, write(tmp_path / "a.jsonl"), PEOPLE)
    store.datasets.freeze("mine", "en-zh")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(Refused):
        push(store, "mine", "ann/words")
    monkeypatch.setenv("HF_TOKEN", "secret")
    for name in ("words", "../x", "a/b/c", "a/..", "ann/wo rds", ""):
        with pytest.raises(Refused):
            push(store, "mine", name)
    assert calls == []
    assert push(store, "mine", "ann/words").endswith("/ann/words")
    assert calls[0] == "secret" and calls[1][1]["private"] and "README.md" in calls[2]


def test_the_shell_does_the_same(tmp_path):
    file = write(tmp_path / "a.jsonl")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "db", *map(str, arguments)],
            cwd=ROOT, capture_output=True, text=True,
            env={"CTX_HOME": str(tmp_path / "home"), "PATH": ""},
        )  # fmt: skip

    assert "3 rows with an answer" in run("import", file, "--preview").stdout
    assert "3 new queries" in run("import", file, "--people", "--who", "Ann").stdout
    assert "a.jsonl\tflat\ten-zh\twhole\t3 lines" in run("imports").stdout
    out = tmp_path / "out.csv"
    assert run("export", out, "--format", "csv", "--accepted").stdout.split() == [
        "3", "written", "0", "unanswered", "0", "undone", "0", "not_accepted",
    ]  # fmt: skip
    assert out.read_text(encoding="utf-8").count("\n") == 4
    frozen = run("snapshot", "first").stdout
    assert "first: 3 rows, sha256 " in frozen and "1 train, 2 dev, 0 test" in frozen
    assert "one: 1 rows" in run("snapshot", "one", "--class", "noun", "--text", "clos").stdout
    assert run("snapshots").stdout.startswith("one\t")
    assert run("export", out, "--snapshot", "first").stdout.split() == ["3", "written"]
    folder = tmp_path / "folder"
    run("export", folder, "--accepted", "--format", "hf", "--phrase", "split")
    assert len(pandas.read_parquet(folder / "data" / "dev.parquet")) == 1
    assert run("export", folder, "--format", "hf").returncode == 2, "it is there already"
    stats = run("stats").stdout
    assert "       3 accepted" in stats and "       1 split" in stats and "       1 noun" in stats
    assert "class\t0\t–\t–\t–" in run("agreement").stdout
    bad = write(tmp_path / "bad.jsonl", [("A bank.", "bank", 1, "noun", "银行、河岸", "")])
    run("import", bad)
    refused = run("snapshot", "all", "--all")
    assert refused.returncode == 2 and "several_meanings: 'bank' in A bank." in refused.stderr
    assert "1 left out: several_meanings" in run(
        "snapshot", "all", "--all", "--without-invalid"
    ).stdout  # fmt: skip
    assert run("push", "all", "me/words").returncode == 2, "no token"
    assert run("backup", tmp_path / "copy.db").returncode == 0
    assert run("check").stdout == "sound\n"
    assert run("undo", 1).returncode == 0
    refused = run("undo", 1)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
    assert run("import", tmp_path / "none.txt").returncode == 2
