"""The model from nothing against plain reference implementations, and what each place may see."""

import math

import pytest
import torch
from torch.nn import functional as F

from trainer.fields import RecipeError
from trainer.scratch.config import PRESETS, ModelConfig, load_config, parse_config, save_config
from trainer.scratch.folder import new_net
from trainer.scratch.model import (
    Attention,
    Cache,
    Dropout,
    FeedForward,
    for_writing,
    rotary,
    rotate,
)

CONFIG = ModelConfig(
    vocabulary=50, width=32, layers=2, heads=4, kv_heads=2, ffn=48, dropout=0.0, positions=32
)
BOTH_WAYS = ModelConfig(**{**CONFIG.__dict__, "causal_prefix": False})


def net_of(config=CONFIG):
    return new_net(config, 1).eval()


def tokens(rows, length, seed=0):
    return torch.randint(50, (rows, length), generator=torch.Generator().manual_seed(seed))


def plain_rotation(vector, position, theta):
    """A head turned pair by pair, each pair as a complex number."""
    half = len(vector) // 2
    vector = vector.detach()
    turned = vector.clone()
    for i in range(half):
        angle = position * theta ** (-2 * i / len(vector))
        pair = complex(vector[i], vector[i + half]) * complex(math.cos(angle), math.sin(angle))
        turned[i], turned[i + half] = pair.real, pair.imag
    return turned


def test_rotary_positions_turn_each_pair_by_its_angle():
    torch.manual_seed(0)
    cos, sin = rotary(CONFIG)
    heads = torch.randn(1, 1, 9, CONFIG.head_width)
    turned = rotate(heads, (cos[:9], sin[:9]))
    for position in (0, 1, 8):
        plain = plain_rotation(heads[0, 0, position], position, CONFIG.rope_theta)
        torch.testing.assert_close(turned[0, 0, position], plain, rtol=1e-4, atol=1e-5)


def test_attention_is_softmax_over_what_stands_before_with_shared_keys():
    torch.manual_seed(0)
    attention = Attention(CONFIG, 0)
    states, turn = torch.randn(2, 7, 32), tuple(one[:7] for one in rotary(CONFIG))
    found = attention(states, turn, None, None)
    queries, keys, values = (
        getattr(attention, name)(states).view(2, 7, -1, 8)
        for name in ("q_proj", "k_proj", "v_proj")
    )
    plain = torch.zeros(2, 7, 4, 8)
    for row in range(2):
        for head in range(4):
            shared = head // 2
            for place in range(7):
                asked = plain_rotation(queries[row, place, head], place, 10_000.0)
                scores = torch.stack([
                    asked @ plain_rotation(keys[row, j, shared], j, 10_000.0) / math.sqrt(8)
                    for j in range(place + 1)
                ])  # fmt: skip
                plain[row, place, head] = scores.softmax(0) @ values[row, : place + 1, shared]
    plain = attention.o_proj(plain.flatten(2))
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)


def test_feed_forward_is_swiglu_and_the_norm_divides_by_the_root_mean_square():
    torch.manual_seed(0)
    layer, states = FeedForward(CONFIG), torch.randn(3, 32)
    gate = states @ layer.gate_proj.weight.T
    plain = (gate * torch.sigmoid(gate) * (states @ layer.up_proj.weight.T)) @ (
        layer.down_proj.weight.T
    )
    torch.testing.assert_close(layer(states), plain)
    norm = net_of().norm
    plain = states / torch.sqrt((states**2).mean(-1, keepdim=True) + CONFIG.norm_eps) * norm.weight
    torch.testing.assert_close(norm(states), plain)


def test_the_whole_model_is_its_parts_and_ties_head_to_embedding():
    net, ids = net_of(), tokens(1, 5)
    states, turn = net.embed_tokens(ids), tuple(one[:5] for one in rotary(CONFIG))
    for layer in net.layers:
        states = states + layer.self_attn(layer.input_layernorm(states), turn, None, None)
        states = states + layer.mlp(layer.post_attention_layernorm(states))
    found = net(ids, torch.tensor([2]))
    torch.testing.assert_close(found, net.norm(states))
    torch.testing.assert_close(net.logits(found), F.linear(found, net.embed_tokens.weight))


@pytest.mark.parametrize("config", [CONFIG, BOTH_WAYS])
def test_what_comes_later_changes_nothing_but_within_a_prefix_seen_both_ways(config):
    net, ids, prefix = net_of(config), tokens(1, 10), 4
    before = net(ids, torch.tensor([prefix]))[0]
    for changed in range(10):
        other = ids.clone()
        other[0, changed] = (ids[0, changed] + 1) % 50
        after = net(other, torch.tensor([prefix]))[0]
        same = (before - after).abs().amax(-1) < 1e-6
        together = not config.causal_prefix and changed < prefix
        first = 0 if together else changed
        assert same[:first].all() and not same[first:].any(), changed


@pytest.mark.parametrize("config", [CONFIG, BOTH_WAYS])
def test_a_row_is_the_same_alone_and_padded_on_either_side(config):
    net, short, long = net_of(config), tokens(1, 6, 1), tokens(1, 9, 2)
    alone = net(short, torch.tensor([4]))[0]
    pad = torch.zeros(1, 3, dtype=torch.long)
    prefix = torch.tensor([4, 5])
    right = net(torch.cat([torch.cat([short, pad], 1), long]), prefix)[0, :6]
    start = torch.tensor([3, 0])
    left = net(torch.cat([torch.cat([pad, short], 1), long]), prefix, start)[0, 3:]
    torch.testing.assert_close(right, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(left, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", [CONFIG, BOTH_WAYS])
def test_a_cache_changes_nothing(config):
    net, ids = net_of(config), tokens(2, 9)
    prefix, start = torch.tensor([5, 3]), torch.tensor([0, 2])
    whole = net(ids, prefix, start)
    cache = Cache(config, 2, 12)
    parts = [net(ids[:, :5], prefix, start, cache), net(ids[:, 5:7], prefix, start, cache)]
    parts += [net(ids[:, i : i + 1], prefix, start, cache) for i in (7, 8)]
    real = torch.ones(2, 9, dtype=torch.bool)
    real[1, :2] = False
    joined = torch.cat(parts, 1)
    torch.testing.assert_close(joined[real], whole[real], rtol=1e-4, atol=1e-5)


def test_dropout_takes_its_share_and_keeps_the_mean_and_rests_outside_training():
    torch.manual_seed(0)
    dropout, ones = Dropout(0.25), torch.ones(200, 500)
    found = dropout(ones)
    assert (found == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert found.max().item() == pytest.approx(1 / 0.75) and found.mean().item() == pytest.approx(
        1, abs=0.02
    )
    assert dropout.eval()(ones) is ones


def test_more_tokens_than_positions_are_refused():
    with pytest.raises(ValueError, match="32 positions"):
        net_of()(tokens(1, 33), torch.tensor([2]))


def test_presets_have_the_parameters_that_their_names_say():
    for name, config in PRESETS.items():
        assert config.parameters() == pytest.approx(float(name[:-1]) * 1e6, rel=0.07), name
    assert CONFIG.parameters() == sum(one.numel() for one in net_of().parameters())


@pytest.mark.parametrize("field", ["width", "kv_heads", "dropout", "layers"])
def test_a_config_that_cannot_be_names_its_field(field):
    wrong = {"width": 30, "kv_heads": 3, "dropout": 1.0, "layers": 0}
    with pytest.raises(RecipeError, match=field):
        parse_config({"heads": 4, field: wrong[field]})


def test_a_config_is_saved_and_read_back_equal(tmp_path):
    save_config(BOTH_WAYS, tmp_path)
    assert load_config(tmp_path) == BOTH_WAYS
    assert CONFIG.differences(BOTH_WAYS) == ["causal_prefix False, not True"]
    with pytest.raises(RecipeError, match="no model"):
        load_config(tmp_path / "nowhere")


def test_stored_for_writing_it_gives_the_same():
    net, other = net_of(), for_writing(new_net(CONFIG, 1))
    text, prefix = tokens(2, 9), torch.tensor([4, 4])
    torch.testing.assert_close(
        other.logits(other(text, prefix)), net.logits(net(text, prefix)), rtol=1e-4, atol=1e-5
    )
    for (name, mine), its in zip(net.named_parameters(), other.parameters(), strict=True):
        assert mine.equal(its) and not its.requires_grad, name
    for layer in other.layers:
        for part in (layer.self_attn, layer.mlp):
            joined = part.joined.untyped_storage().data_ptr()
            assert {one.weight.untyped_storage().data_ptr() for one in part.beside} == {joined}
    assert not other.embed_tokens.weight.is_contiguous()
    assert net.state_dict().keys() == other.state_dict().keys()


def test_stored_for_writing_it_takes_other_weights():
    other = for_writing(new_net(CONFIG, 2))
    other.load_state_dict(net_of().state_dict())
    text, prefix = tokens(2, 9), torch.tensor([4, 4])
    torch.testing.assert_close(other(text, prefix), net_of()(text, prefix), rtol=1e-4, atol=1e-5)
