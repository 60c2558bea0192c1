"""The state of the lake is the oracle's, whatever the readings, their order, their repetition and the folds."""

import random
from types import SimpleNamespace

import lake_oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lake_states import TIMES, comparable, database, fold_all, lakes, load, state

from moviehouse.lake.state import counting

MANY = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def con():
    with database() as con:
        yield con


def counted(readings):
    """The readings that count, as the product says."""
    kept = {r.reading_id for r in counting(SimpleNamespace(**reading) for reading in readings)}
    return [reading for reading in readings if reading["reading_id"] in kept]


def loaded(con, readings, rows):
    """The state of a lake that has just these readings."""
    con.execute("BEGIN")
    try:
        load(con, readings, rows)
        return state(con)
    finally:
        con.execute("ROLLBACK")


@MANY
@given(lakes)
def test_the_state_is_that_of_drops_applied_in_the_order_of_observation(con, lake):
    readings, rows = lake
    assert loaded(con, counted(readings), rows) == comparable(lake_oracle.state(readings, rows))


@MANY
@given(lakes, st.sampled_from([None, *TIMES]), st.data())
def test_folding_at_any_time_changes_nothing_that_a_reader_can_see(con, lake, settled, data):
    """Fold, load more, fold again. History is folded where all that is loaded later was observed later."""
    readings, rows = lake
    readings = counted(readings)
    later = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=len(readings), max_size=len(readings)))
    if settled is not None:
        later = [place if r["observed_at"] >= settled else 0 for r, place in zip(readings, later, strict=True)]
    whole = loaded(con, readings, rows)
    con.execute("BEGIN")
    try:
        for stage in range(3):
            load(con, [r for r, place in zip(readings, later, strict=True) if place == stage], rows)
            fold_all(con, settled)
        assert state(con) == whole
    finally:
        con.execute("ROLLBACK")
