"""The state of the lake is the oracle's, whatever the readings, their order, their repetition and the folds."""

from types import SimpleNamespace

import lake_oracle
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lake_states import TIMES, comparable, database, fold_all, lakes, load, state
from sqlglot import exp

from moviehouse.lake.state import counting, fold, views
from moviehouse.model.lake import LAKE_TABLES

MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def con():
    with database() as con:
        yield con


@pytest.fixture
def empty(con):
    """The lake without a row: what the block adds is gone after it."""

    class Empty:
        def __enter__(self):
            return con.execute("BEGIN")

        def __exit__(self, *_):
            con.execute("ROLLBACK")

    return Empty


def counted(readings):
    """The readings that count, as the product says."""
    kept = {r.reading_id for r in counting(SimpleNamespace(**reading) for reading in readings)}
    return [reading for reading in readings if reading["reading_id"] in kept]


@MANY
@given(lakes, st.data())
def test_the_state_is_that_of_drops_applied_in_the_order_of_observation(empty, lake, data):
    """In whatever order their rows come, and where some come twice; only the logs tell that they did."""
    readings, rows = lake
    again = data.draw(st.lists(st.sampled_from(readings), max_size=2))
    expected = comparable(lake_oracle.state(readings, rows))
    with empty() as con:
        load(con, counted(readings), rows)
        load(con, counted([r for r in again if r in counted(readings)]), rows)
        found = state(con)
    for name in ("error_log", "rejected_record"):
        assert set(found.pop(name)) == set(expected.pop(name))
    assert found == expected


@pytest.mark.long
@MANY
@given(lakes, st.sampled_from([None, *TIMES]), st.data())
def test_folding_at_any_time_changes_nothing_that_a_reader_can_see(empty, lake, settled, data):
    """Fold, load more, fold again, load more. History is folded where what is loaded later was observed later."""
    readings, rows = lake
    readings = counted(readings)
    stages = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=len(readings), max_size=len(readings)))
    if settled is not None:
        stages = [s if r["observed_at"] >= settled else 0 for r, s in zip(readings, stages, strict=True)]
    with empty() as con:
        for stage in sorted(set(stages)):
            load(con, [r for r, s in zip(readings, stages, strict=True) if s == stage], rows)
            if stage < 2:
                fold_all(con, settled)
        assert state(con) == comparable(lake_oracle.state(readings, rows))


STATEMENTS = [*views(), *((f"fold {table.name}", fold(table, TIMES[1])) for table in LAKE_TABLES)]


@pytest.mark.parametrize("select", [select for _, select in STATEMENTS], ids=[name for name, _ in STATEMENTS])
def test_another_engine_can_have_the_state(select):
    (tree,) = sqlglot.parse(select, dialect="duckdb")
    assert tree.sql(dialect="spark")
    assert not list(tree.find_all(exp.Unnest, exp.Explode))
    assert "QUALIFY" not in select
    assert "::" not in select
