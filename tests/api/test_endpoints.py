"""The public endpoints of the real app, through gradio_client and as the README shows them."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio_client import Client

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = [
    "They turned my application down.",
    "He was so tired that he hit the sack at nine.",
    "She sat on the bank and watched the river.",
    "The bank raised its interest rates again.",
    "Could you turn the radio down, please?",
    "They ran out of milk before breakfast.",
    "The light was so light that the light box flew away.",
    "It never rains but it pours.",
]


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False)


def lookup(client, context, target, idx=1):
    return client.predict(context, target, idx, "en-zh", api_name="/lookup")


def test_a_word_is_looked_up(client):
    answer = lookup(client, "She sat on the bank and watched the river.", "bank")
    assert {"class", "zh", "phrase", "second", "confidence", "level", "source"} <= set(answer)
    assert answer["class"] == "noun" and re.search("[一-鿿]", answer["zh"])
    assert answer["source"] == "model" and 0 <= answer["confidence"] <= 1


def test_members_of_a_phrase_give_the_same_phrase(client):
    context = "They turned my application down."
    first, second = lookup(client, context, "turned"), lookup(client, context, "down")
    assert first["phrase"] == second["phrase"] and first["phrase"].startswith("turned down|")


@pytest.mark.parametrize(
    "context, target, idx, code",
    [
        ("", "a", 1, "no_context"),
        ("a b", "c", 1, "target_not_found"),
        ("a b", "a", 2, "idx_out_of_range"),
        ("a\x00b", "a", 1, "control_characters"),
        ("a " * 6000, "a", 1, "context_too_long"),
        ("my neck's", "neck", 1, "target_inside_word"),
        (None, "neck", 1, "not_text"),
        ("a", "a", "many", "not_text"),
    ],
)
def test_every_error_has_one_shape(client, context, target, idx, code):
    answer = lookup(client, context, target, idx)
    assert set(answer) == {"error"} and answer["error"]["code"] == code
    assert answer["error"]["message"]


def test_an_unknown_pair_is_refused(client):
    answer = client.predict("a b", "a", 1, "xx-yy", api_name="/lookup")
    assert answer["error"]["code"] == "unknown_pair"


def test_a_passage_is_answered_word_by_word_as_its_words_alone_are(client):
    passage = "  ".join(SENTENCES[:3]) + "\n\n😀 " + SENTENCES[3]
    found = client.predict(passage, "en-zh", api_name="/lookup_passage")
    assert "".join(s["sentence"] for s in found) == passage
    for sentence in found:
        for word in sentence["words"]:
            assert passage[word["start"] : word["end"]] == word["word"]
    words = found[0]["words"]
    alone = [lookup(client, SENTENCES[0], w["target"], w["idx"]) for w in words]
    assert [{k: w[k] for k in a} for w, a in zip(words, alone)] == alone


def test_bad_passages_are_refused(client):
    for passage, code in (("", "no_context"), ("a" * 30_000, "context_too_long")):
        found = client.predict(passage, "en-zh", api_name="/lookup_passage")
        assert found["error"]["code"] == code


def test_ten_readers_at_once_get_what_each_gets_alone(app_url, client, engine):
    from engine.sense import Query, context_words, to_wire
    from engine.views import views

    asked = [(s, w.text) for s in SENTENCES for w in context_words(s)[:4]]

    def read(number):
        mine = Client(app_url, verbose=False)
        order = asked[number:] + asked[:number]
        return {key: lookup(mine, *key) for key in order}

    with ThreadPoolExecutor(10) as pool:
        readers = list(pool.map(read, range(10)))
    assert all(answers == readers[0] for answers in readers)
    for sentence in SENTENCES:  # and what the engine gives with no one else there
        (view,) = views(sentence, "en-zh")
        for position, answer in zip(view.asked, engine.answer(view)):
            query = Query(sentence, position)
            if (sentence, query.target) in readers[0] and query.idx == 1:
                got = readers[0][sentence, query.target]
                assert {k: got[k] for k in ("class", "zh", "phrase")} == to_wire(
                    query, answer.sense
                )


def test_the_readmes_examples_run_as_they_stand(app_url):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shell,) = re.findall(r"```bash\n(# look a word up.*?)```", readme, re.S)
    (python,) = re.findall(r"```python\n(from gradio_client.*?)```", readme, re.S)
    address = "http://127.0.0.1:7860"
    out = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell.replace(address, app_url)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    answer = json.loads(out.stdout.split("event: complete\ndata: ", 1)[1].splitlines()[0])[0]
    assert answer["phrase"].startswith("turned down|")
    out = subprocess.run(
        [sys.executable, "-c", python.replace(address, app_url)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert "turned down|" in out.stdout


def test_a_sentence_is_translated(client):
    found = client.predict("She lives in the old house.", "en-zh", api_name="/translate")
    assert re.search("[一-鿿]", found["translation"]) and found["by"]["title"]


@pytest.mark.parametrize(
    "sentence, pair, code",
    [
        ("a b", "xx-yy", "unknown_pair"),
        ("", "en-zh", "no_context"),
        ("a\x00b", "en-zh", "control_characters"),
        ("a" * 30_000, "en-zh", "context_too_long"),
        (7, "en-zh", "not_text"),
    ],
)
def test_what_cannot_be_translated_is_refused(client, sentence, pair, code):
    found = client.predict(sentence, pair, api_name="/translate")
    assert set(found) == {"error"} and found["error"]["code"] == code
