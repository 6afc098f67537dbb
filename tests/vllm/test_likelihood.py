"""vLLM, its server and transformers hold choices equally likely, within TOLERANCE."""

import random
from dataclasses import replace

import pytest

from itdr.inference.api_engine import ApiEngine
from itdr.inference.engine import Prompt
from itdr.inference.transformers_engine import TransformersEngine
from itdr.settings.model import ModelEndpoint
from tests.vllm.conftest import SETTINGS, TINY
from tests.vllm.server import serving

TOLERANCE = 5e-4
"""Of a sum of log-probabilities, in nats, with 32-bit weights."""
NAMES = (None, "first", "second")
WORDS = ["Heat", "Alien", "Fargo", "Brazil", "The", "Thing", "Seven", "Psycho", "of", "and", "in"]


@pytest.fixture(scope="module")
def scored():
    """Return 200 prompts with two choices, 50 with ten titles, and 30 with what the model says."""
    chance = random.Random(4)

    def text(longest):
        return " ".join(chance.choices(WORDS, k=chance.randint(1, longest)))

    two = [
        Prompt(f"two {i}", "Will it be liked?", text(60), 0, ("Yes.", "No.")) for i in range(200)
    ]
    titles = [tuple(dict.fromkeys(text(5) for _ in range(30)))[:10] for _ in range(50)]
    ten = [Prompt(f"ten {i}", "Choose.", text(60), 0, of) for i, of in enumerate(titles)]
    asked = [Prompt(f"own {i}", "Choose.", text(60), 1 + i % 4) for i in range(30)]
    said = dict(
        pair for some in TransformersEngine(TINY, SETTINGS).answer(asked, (), None) for pair in some
    )
    own = [replace(prompt, choices=(said[i].text.strip(), "No."))
           for i, prompt in enumerate(asked) if said[i].text.strip()]  # fmt: skip
    return [*two, *ten, *own]


@pytest.fixture(scope="module")
def by_transformers(scored, adapters):
    """Return a function that gives transformers' likelihoods, each prompt by itself."""
    found = {}

    def likelihoods(name):
        if name not in found:
            one = TransformersEngine(TINY, SETTINGS.model_copy(update={"batch_size": 1}))
            found[name] = told(one, scored, adapters[name] if name else None)
        return found[name]

    return likelihoods


def told(engine, prompts, adapter):
    came = [pair for some in engine.answer(prompts, (), adapter) for pair in some]
    assert len(came) == len(prompts)
    return {position: answer.choices for position, answer in came}


def check(what, name, found, expected, capsys):
    pairs = [
        (one, other) for i in expected for one, other in zip(found[i], expected[i], strict=True)
    ]
    assert all((a.text, a.tokens) == (b.text, b.tokens) for a, b in pairs)
    apart = [abs(a.logprob - b.logprob) for a, b in pairs]
    greedy = sum(a.greedy != b.greedy for a, b in pairs)
    with capsys.disabled():
        print(f"\n{what}, adapter {name or 'none'}: {len(pairs)} choices, largest difference "
              f"{max(apart):.1e} of a sum, {greedy} greedy otherwise, "
              f"{sum(a.greedy for a, _ in pairs)} greedy")  # fmt: skip
    assert max(apart) < TOLERANCE
    assert greedy == 0 and (name or sum(a.greedy for a, _ in pairs) > 5)


def test_the_choices_tell_the_adapters_apart(by_transformers):
    base = by_transformers(None)
    for name in NAMES[1:]:
        other = by_transformers(name)
        apart = [abs(a.logprob - b.logprob) for i in base
                 for a, b in zip(base[i], other[i], strict=True)]  # fmt: skip
        assert sorted(apart)[len(apart) // 10] > 20 * TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_transformers_in_batches(scored, by_transformers, adapters, name, capsys):
    adapter = adapters[name] if name else None
    found = told(TransformersEngine(TINY, SETTINGS), scored, adapter)
    check("transformers in batches", name, found, by_transformers(name), capsys)


@pytest.mark.parametrize("name", NAMES)
def test_one_vllm_with_several_adapters(engine, scored, by_transformers, adapters, name, capsys):
    found = told(engine, scored, adapters[name] if name else None)
    check("vLLM", name, found, by_transformers(name), capsys)


def test_generated_and_scored_prompts_share_a_run(engine, scored, by_transformers):
    text = Prompt("text", "Choose.", "Heat", 8)
    alone = dict(pair for some in engine.answer([text], (), None) for pair in some)[0]
    both = dict(pair for some in engine.answer([scored[0], text], (), None) for pair in some)
    assert both[1] == alone and both[1].choices is None
    assert both[0].choices[0].logprob == pytest.approx(
        by_transformers(None)[0][0].logprob, abs=TOLERANCE
    )


def test_a_prompt_without_room_for_its_longest_choice_is_skipped(engine):
    long = Prompt("long", "Do.", "Heat " * 1000, 0, ("Yes.", "No."))
    ((_, answer),) = [pair for some in engine.answer([long], (), None) for pair in some]
    assert (answer.finish_reason, answer.choices) == ("skipped", None)


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_vllm_server_through_the_api_engine(
    merged, scored, by_transformers, name, capsys, tmp_path
):
    """The adapter is merged: with --enable-lora this vLLM dies of a prompt's log-probabilities."""
    model = merged if name else TINY
    some = [*range(20), *range(200, 210), *range(250, len(scored))]
    with serving(model.source, {}, tmp_path / "log") as address:
        endpoint = ModelEndpoint(base_url=address, model="tiny", cache=str(tmp_path / "cache"))
        found = told(ApiEngine(endpoint), [scored[i] for i in some], None)
    expected = {place: by_transformers(name)[i] for place, i in enumerate(some)}
    check("vLLM server through the api engine", name, found, expected, capsys)
