"""How examples are put into steps, processes and forward passes."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.settings.training import TrainingSettings
from itdr.training.packing import best_fit, passes, steps

SETTINGS = TrainingSettings(batch_size=4, max_length=100, row_length=100, epochs=2)


def flat(lists):
    return list(chain.from_iterable(lists))


def settings(**changes):
    return TrainingSettings(**(SETTINGS.model_dump() | changes))


def test_each_epoch_has_every_example_once_in_an_order_of_its_own():
    done = steps([3] * 50, SETTINGS, seed=1)
    first, second = flat(done[:13]), flat(done[13:])
    assert sorted(first) == sorted(second) == list(range(50)) and first != second
    assert [len(step) for step in done[:13]] == [4] * 12 + [2]
    assert done == steps([3] * 50, SETTINGS, seed=1) != steps([3] * 50, SETTINGS, seed=2)


def test_half_an_epoch_has_half_the_examples():
    assert sum(map(len, steps([3] * 50, settings(epochs=1.5), seed=1))) == 75


def test_packing_and_processes_do_not_change_which_examples_share_a_step():
    lengths = [n % 40 + 5 for n in range(50)]
    for changes in ({"packing": False, "micro_batch_size": 3}, {"processes": 3}, {}):
        plan = settings(**changes)
        found = steps(lengths, plan, seed=1)
        assert found == steps(lengths, SETTINGS, seed=1)
        for step in found:
            shares = passes(step, lengths, plan)
            assert sorted(flat(flat(shares))) == sorted(step)


def test_a_process_may_divide_its_examples_into_rows_of_like_length():
    lengths = [n % 40 + 5 for n in range(16)]
    step = list(range(16))
    (rows,) = passes(step, lengths, settings(row_length=500), rows=2)
    assert len(rows) == 2 and sorted(flat(rows)) == step
    first, second = (sum(lengths[i] for i in row) for row in rows)
    assert abs(first - second) <= 5
    assert passes([3], lengths, settings(row_length=500), rows=2) == [[[3]]]


def test_a_batch_may_count_tokens():
    lengths = [30, 60, 90, 20, 50, 70, 10]
    plan = settings(batch_unit="tokens", batch_size=120, epochs=1)
    done = steps(lengths, plan, seed=1)
    sizes = [sum(lengths[i] for i in step) for step in done]
    assert max(sizes) <= 120 and sorted(flat(done)) == list(range(7))
    following = [lengths[step[0]] for step in done[1:]]
    assert all(size + more > 120 for size, more in zip(sizes, following, strict=False))


def test_best_fit_takes_the_fullest_row_that_has_room():
    rows = best_fit([0, 1, 2, 3, 4], [60, 50, 40, 30, 10], 100)
    assert rows == [[0, 2], [1, 3, 4]]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=60), st.integers(100, 300))
def test_rows_hold_every_example_once_and_never_too_much(lengths, room):
    rows = best_fit(range(len(lengths)), lengths, room)
    assert sorted(flat(rows)) == list(range(len(lengths)))
    filled = [sum(lengths[i] for i in row) for row in rows]
    assert max(filled) <= room
    assert sum(fill <= room / 2 for fill in filled) <= 1  # two such rows would have been one


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20), st.integers(1, 5), st.booleans())
def test_processes_have_as_many_passes_each_and_nearly_as_many_tokens(lengths, count, packing):
    plan = settings(processes=count, packing=packing, micro_batch_size=2)
    shares = passes(range(len(lengths)), lengths, plan)
    assert len(shares) == count and len({len(share) for share in shares}) == 1
    loads = [sum(lengths[i] for one in share for i in one) for share in shares]
    assert max(loads) - min(loads) <= max(lengths)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row_length": 50}, "row_length .50. must not be below max_length"),
        ({"batch_unit": "tokens", "batch_size": 50}, "batch_size .50 tokens. must not be below"),
    ],
)
def test_settings_that_cannot_work_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)
