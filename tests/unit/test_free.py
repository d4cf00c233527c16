"""What a model writes when nothing holds it: read back, or said to be no answer."""

import pytest
import torch

from engine.sense import ask, from_wire, to_wire
from tests.tiny import tiny_model, tiny_prompt, tiny_tokenizer
from trainer.free import parse, write_freely
from trainer.wire import WirePrompt

QUERY = ask("I call Tom back", "back")
SENSE = from_wire(QUERY, {"class": "adverb", "zh": "回", "phrase": "call back|回电话"})


@pytest.mark.parametrize("prompt", [tiny_prompt(), WirePrompt(tiny_tokenizer())])
def test_what_a_prompt_teaches_is_read_back(prompt):
    tokens = [token for token, _, _ in prompt.answer(QUERY, SENSE).marked()]
    assert tokens[-1] == prompt.end
    pieces = [prompt.tokenizer.convert_ids_to_tokens(t) for t in tokens[:-1]]
    text = "".join(pieces).replace("▁", " ")
    if isinstance(prompt, WirePrompt):
        text = text.replace("<unk>", "")  # this tokenizer has no braces
        return
    assert from_wire(QUERY, parse(text.strip(), False)) == SENSE


@pytest.mark.parametrize("text", ["verb", "verb|回|回", "verb call back|回", "", "nothing|回|b|c"])
def test_an_answer_without_all_its_fields_is_none(text):
    with pytest.raises(ValueError):
        from_wire(QUERY, parse(text, False))


def test_a_proper_noun_is_one_class():
    assert parse("proper noun|汤姆", False) == {"class": "proper noun", "zh": "汤姆", "phrase": ""}
    found = parse("proper noun New York|纽约|纽约", False)
    assert found["phrase"] == "New York|纽约"


def test_json_is_read_as_it_is():
    wire = to_wire(QUERY, SENSE)
    assert parse('{"class": "adverb", "zh": "回", "phrase": "call back|回电话"}', True) == wire
    with pytest.raises(ValueError):
        parse("[]", True)


def test_the_likeliest_tokens_are_those_of_the_plain_model():
    """Against transformers' own generate, with prompts of different lengths in one batch."""
    prompt = tiny_prompt()
    model = tiny_model(len(prompt.tokenizer))
    queries = [QUERY, ask("the dog saw Tom in the bed", "dog"), ask("I call", "I")]
    written = write_freely(model, prompt, queries, 12)
    for query, one in zip(queries, written):
        ids = torch.tensor([sum(prompt.parts(query), ())])
        with torch.no_grad():
            plain = model.generate(
                input_ids=ids, max_new_tokens=12, do_sample=False, eos_token_id=prompt.end
            )[0, ids.shape[1] :].tolist()
        ended = prompt.end in plain
        assert one.ended == ended
        assert one.tokens == (plain.index(prompt.end) if ended else 12)
