"""Likelihoods of choices from vLLM.

vLLM's log-probabilities of a prompt would compute the prompt anew for each choice, with the logits
of all of its tokens, and with adapters they end in an error on a CPU (vLLM 0.32.0). One token after
a beginning is asked for instead, with the log-probabilities of the tokens by which the choices go
on there. The beginnings of a prompt are the prompt itself and what choices add to it, so vLLM has
nearly all of their keys and values in its prefix cache, and choices that begin alike share them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from itdr.inference.tokens import TokenPrompt

_WAITING = 2048  # requests that vLLM is given before it has answered some
_MOST_TOKENS = 128  # whose log-probabilities vLLM tells in one request

Told = list[tuple[float, bool]]
Beginning = tuple[int, ...]


@dataclass
class _Scored:
    """What is known of one prompt.

    waiting: requests that are not answered. logprobs: beginning of a choice and next token to the
    token's log-probability. best: beginning to the most probable next token.
    """

    prompt: TokenPrompt
    waiting: int = 0
    logprobs: dict[tuple[Beginning, int], float] = field(default_factory=dict)
    best: dict[Beginning, int] = field(default_factory=dict)

    def told(self) -> Told:
        """Return of each choice the sum of log-probabilities, and if it is the most probable."""
        found = []
        for choice in self.prompt.choices:
            steps = [(choice[:at], token) for at, token in enumerate(choice)]
            total = sum(self.logprobs[step] for step in steps)
            found.append((total, all(self.best[begin] == token for begin, token in steps)))
        return found


def score_choices(
    engine: Any, prompts: Mapping[int, TokenPrompt], lora: Any
) -> Iterator[tuple[int, Told]]:
    """Yield positions with what the engine tells of the choices there, as they are complete.

    engine: vLLM's LLMEngine, whose log-probabilities are raw. lora: the adapter, or None.
    """
    left = iter(prompts.items())
    scored: dict[int, _Scored] = {}
    asked: dict[str, tuple[int, Beginning]] = {}
    more = True
    while more or asked:
        while more and len(asked) < _WAITING:
            position, prompt = next(left, (-1, None))
            if prompt is None:
                more = False
                break
            scored[position] = _Scored(prompt)
            for begin, tokens in _requests(prompt):
                name = f"{position}-{scored[position].waiting}"
                scored[position].waiting += 1
                asked[name] = position, begin
                _ask(engine, name, [*prompt.ids, *begin], tokens, lora)
        for output in engine.step():
            if output.finished:
                position, begin = asked.pop(output.request_id)
                if _take(scored[position], begin, output.outputs[0]):
                    yield position, scored.pop(position).told()


def _requests(prompt: TokenPrompt) -> list[tuple[Beginning, list[int]]]:
    """Return the beginnings of a prompt's choices, each with tokens by which choices go on."""
    following: dict[Beginning, set[int]] = defaultdict(set)
    for choice in prompt.choices:
        for at, token in enumerate(choice):
            following[choice[:at]].add(token)
    return [
        (begin, tokens[start : start + _MOST_TOKENS])
        for begin, tokens in ((begin, sorted(after)) for begin, after in following.items())
        for start in range(0, len(tokens), _MOST_TOKENS)
    ]


def _ask(engine: Any, name: str, ids: list[int], tokens: list[int], lora: Any) -> None:
    from vllm import SamplingParams
    from vllm.inputs import tokens_input
    from vllm.sampling_params import RequestOutputKind

    parameters = SamplingParams(
        temperature=0.0,
        max_tokens=1,
        logprob_token_ids=tokens,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
    engine.add_request(name, tokens_input(ids), parameters, lora_request=lora)


def _take(scored: _Scored, begin: Beginning, completion: Any) -> bool:
    """Keep what one request told; say whether it was the last one of the prompt."""
    (logprobs,) = completion.logprobs
    for token, found in logprobs.items():
        scored.logprobs[begin, token] = found.logprob
    (scored.best[begin],) = completion.token_ids
    scored.waiting -= 1
    return not scored.waiting
