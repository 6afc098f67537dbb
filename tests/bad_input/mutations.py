"""Valid inputs made bad: cut, repeated, flipped, and spiced with what readers stumble over."""

from collections.abc import Callable

from hypothesis import strategies as st

SPICES = [
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\n\n", b"\t", b"\x1f", b"\x1a"),
    *(b'"', b"'", b"\\", b'""', b'\\"', b"`", b",", b";", b"::", b"|", b"{", b"}", b"[", b"]"),
    *(b"\\ud800", b"\\udc00", b"\\u0000", b"\\x00", b"\\U0010ffff", b"\\N{DIGIT ONE}"),
    *(b"-1", b"0", b"007", b"9" * 19, b"9" * 400, b"9" * 5000, b"1e999", b"-1e-999", b"0x10"),
    *(b"NaN", b"Infinity", b".inf", b"null", b"None", b"True", b"NULL", b"UNKNOWN", b"2001-99-99"),
    *(b"[" * 3000, b"{" * 3000, b'{"a":' * 2000, b"(" * 250, b"-" * 3000 + b"1", b"1+" * 3000),
    *(b"{'a':" * 2000, b"- " * 2000, b"<!--" * 3000, b"&amp;" * 3000, b"<b " * 3000, b"&#" * 3000),
    *(b" " * 20_000, b"a" * 70_000, b"1 " * 9000, b"1. " * 9000, b"* " * 9000, b"''" * 9000),
    *(b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xc3\x83\xc2\xbc"),
    *(b"&a [*a]", b"*a", b"<<: *a", b"!!python/name:os.system", b"!!timestamp x", b"!!binary x"),
    *(b"? [a]\n: b\n", b"!!int ''", b"!!bool x", b"{{ 1 }}", b"{% x %}", b"{{ a.__class__ }}"),
]
"""Bytes that some reader of some format has stumbled over."""


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: draw(st.integers(0, len(data)))]


def _drop(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data)
    return data[:start] + data[end:]


def _repeat(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data)
    times = draw(st.sampled_from([2, 3, 50, 4000]))
    return data[:end] + data[start:end] * min(times, 60_000 // (end - start + 1) + 1) + data[end:]


def _flip(draw: st.DrawFn, data: bytes) -> bytes:
    if not data:
        return data
    at = draw(st.integers(0, len(data) - 1))
    return data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]


def _spice(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data) if draw(st.booleans()) else (0, 0)
    at = draw(st.integers(0, len(data))) if not end else start
    return data[:at] + draw(st.sampled_from(SPICES)) + data[max(at, end) :]


def _line_ends(draw: st.DrawFn, data: bytes) -> bytes:
    return data.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b""])))


def _swap_lines(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _random(draw: st.DrawFn, data: bytes) -> bytes:
    start, end = _slice(draw, data)
    return data[:start] + draw(st.binary(max_size=40)) + data[end:]


def _slice(draw: st.DrawFn, data: bytes) -> tuple[int, int]:
    start = draw(st.integers(0, len(data)))
    return start, min(len(data), start + draw(st.integers(0, 80)))


_MUTATIONS: list[Callable[[st.DrawFn, bytes], bytes]] = [
    *(_spice, _spice, _spice, _cut, _drop, _repeat, _flip, _line_ends, _swap_lines, _random),
]


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """Draw one of the seeds with one to four mutations."""
    data = draw(st.sampled_from(seeds))
    for mutate in draw(st.lists(st.sampled_from(_MUTATIONS), min_size=1, max_size=4)):
        data = mutate(draw, data)
    return data


def any_input(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy of mutated seeds, and now and then bytes of no form at all."""
    wild = st.lists(st.sampled_from(SPICES) | st.binary(max_size=20), max_size=12).map(b"".join)
    return st.one_of(*[mutated(seeds)] * 6, wild)
