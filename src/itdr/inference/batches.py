"""Which prompts share a forward pass."""

from collections.abc import Collection, Sequence

from itdr.inference.tokens import TokenPrompt


def batches(
    prompts: Sequence[TokenPrompt], positions: Collection[int], *, size: int, tokens: int
) -> list[list[int]]:
    """Divide positions of prompts into batches, the longest prompts first.

    Prompts share a batch if they have the same instruction, so that their shared prefix is computed
    once. Those with the same output limit and nearly the same length stand together, so that their
    answers end at about the same time and little is padded. If memory does not suffice, the first
    batches show it.

    size: most prompts in a batch.
    tokens: most tokens in a batch, with padding and the longest answers; one prompt is always
        allowed.
    """
    longest: dict[tuple[int, str], int] = {}
    for prompt in (prompts[position] for position in positions):
        kind = (prompt.limit, prompt.instruction)
        longest[kind] = max(longest.get(kind, 0), len(prompt.ids))

    def place(position: int) -> tuple[object, ...]:
        one = prompts[position]
        of_kind = longest[one.limit, one.instruction]
        return -one.limit, -of_kind, one.instruction, -len(one.ids), position

    order = sorted(positions, key=place)
    found: list[list[int]] = []
    for position in order:
        batch = found[-1] if found else []
        length = max((prompts[at].length for at in (*batch, position)), default=0)
        alike = bool(batch) and prompts[batch[0]].instruction == prompts[position].instruction
        if not alike or len(batch) == size or length * (len(batch) + 1) > tokens:
            found.append([position])
        else:
            batch.append(position)
    return found
