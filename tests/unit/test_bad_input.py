"""No bytes from outside crash a reader, hang it, or vanish in it.

The readers and what is checked of each stand in tests/bad_input; `make fuzz` looks for longer.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.bad_input.all_readers import READERS
from tests.bad_input.mutations import any_input
from tests.fuzz.corpus import load

TIMES = int(os.environ.get("ITDR_EXAMPLES", "1"))


@pytest.mark.parametrize("name", READERS)
def test_valid_input_is_taken(name):
    reader = READERS[name]
    taken = [reader.check(seed) for seed in reader.seeds()]
    assert taken and (all(taken) or name == "options")  # no word fits every option


@pytest.mark.parametrize("name", READERS)
def test_bad_input_is_accounted_for_or_refused(name):
    reader = READERS[name]

    @settings(
        max_examples=TIMES * (5 if reader.slow else 25),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(any_input(reader.seeds()))
    def holds(data):
        reader.check(data)

    holds()


@pytest.mark.parametrize("name", READERS)
def test_what_fuzzing_learnt_from_is_accounted_for_or_refused(name):
    for data in load(name).values():
        READERS[name].check(data)
