"""Which prompts share a forward pass."""

from collections.abc import Collection, Sequence

from itdr.inference.tokens import TokenPrompt


def batches(
    prompts: Sequence[TokenPrompt], positions: Collection[int], *, size: int, tokens: int
) -> list[list[int]]:
    """Divide positions of prompts into batches, the longest prompts first.

    Prompts with the same output limit and nearly the same length share a batch, so that few answers
    wait for a longer one and little is padded. If memory does not suffice, the first batch shows
    it.

    size: most prompts in a batch.
    tokens: most tokens in a batch, with padding and the longest answers; one prompt is always
        allowed.
    """
    order = sorted(positions, key=lambda i: (-prompts[i].limit, -len(prompts[i].ids), i))
    found: list[list[int]] = []
    for position in order:
        batch = found[-1] if found else []
        # The first of a batch is its longest.
        length = prompts[batch[0]].length if batch else 0
        if not batch or len(batch) == size or length * (len(batch) + 1) > tokens:
            found.append([position])
        else:
            batch.append(position)
    return found
