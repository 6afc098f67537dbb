"""vLLM, its server and transformers give the same answers, token for token."""

import pytest

from itdr.inference.api_engine import ApiEngine
from itdr.inference.engine import Prompt
from itdr.inference.transformers_engine import TransformersEngine
from itdr.settings.model import ModelEndpoint
from tests.vllm.conftest import SETTINGS, TINY, Answers

NAMES = (None, "first", "second")


def of(adapters, name):
    return adapters[name] if name else None


def test_the_prompts_are_varied_and_the_adapters_change_the_answers(reference, prompts):
    base = reference(None)
    assert len(prompts) >= 50
    assert len({answer.prompt_tokens for answer in base.answers.values()}) > 30
    assert {answer.finish_reason for answer in base.answers.values()} == {"stop", "length"}
    for name in NAMES:
        found = reference(name)
        assert len({answer.text for answer in found.answers.values()}) > 40
        changed = [found.tokens[key] != base.tokens[key] for key in base.tokens]
        assert name is None or sum(changed) > 40


@pytest.mark.parametrize("name", NAMES)
def test_transformers_in_batches(reference, prompts, adapters, alike, name):
    found = Answers(TransformersEngine(TINY, SETTINGS), prompts, of(adapters, name))
    alike("transformers, 60 prompts at a time", name, found.tokens, reference(name).tokens)
    assert found.answers == reference(name).answers


@pytest.mark.parametrize("name", NAMES)
def test_one_vllm_with_several_adapters(engine, reference, prompts, adapters, alike, name):
    found = Answers(engine, prompts, of(adapters, name))
    alike("vLLM, base loaded once", name, found.tokens, reference(name).tokens)
    assert found.answers == reference(name).answers


def test_what_is_answered_is_not_asked_again(engine, reference, prompts):
    answered = set(range(0, len(prompts), 2))
    found = Answers(engine, prompts, answered=answered).answers
    expected = reference(None).answers
    assert found == {i: expected[i] for i in expected if i not in answered}


def test_a_prompt_over_the_models_length_is_skipped_not_cut(engine):
    found = Answers(
        engine, [Prompt("p", "Do.", "Heat " * 1000, 8), Prompt("p", "Do.", "Heat", 8)]
    ).answers
    assert found[0].finish_reason == "skipped" and found[0].prompt_tokens > 1024
    assert found[1].finish_reason in ("stop", "length")


@pytest.mark.parametrize("name", NAMES)
def test_a_vllm_server_through_the_api_engine(server, reference, prompts, alike, name, tmp_path):
    endpoint = ModelEndpoint(base_url=server, model=name or "tiny", cache=str(tmp_path / "cache"))
    found = Answers(ApiEngine(endpoint), prompts).answers
    expected = reference(name).answers

    def said(answers, end_counts):
        # The server leaves out a character whose last bytes the output limit cut off, and counts
        # the end of turn.
        return {
            i: (
                a.text.rstrip("\ufffd"),
                a.finish_reason,
                a.prompt_tokens,
                a.tokens - (end_counts and a.finish_reason == "stop"),
            )
            for i, a in answers.items()
        }

    alike(
        "vLLM server through the api engine (texts)", name, said(found, True), said(expected, False)
    )
