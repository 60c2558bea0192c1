"""The runs of current rows: which of them a fold writes anew, and that nobody sees any of it."""

import random
from datetime import datetime

import pytest
import small
from hypothesis import given
from hypothesis import strategies as st
from lake_pool import expected, pool, put, state_of

import moviehouse
from moviehouse.engines.duckdb import DuckDB
from moviehouse.errors import SourceError, TargetError, UsageError
from moviehouse.lake import compact as compacts
from moviehouse.lake import fold as folds
from moviehouse.lake import runs as lake_runs
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.compact import compact, live_files
from moviehouse.lake.ledger import Ledger
from moviehouse.lake.read import reading_lake
from moviehouse.lake.runs import SHARE, SHORT, Run, outgrown, runs
from moviehouse.lake.set_aside import LOG
from moviehouse.lake.tables import present
from moviehouse.model.lake import LOGIC


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("drops"), 6, seed=3)


@pytest.fixture
def never_anew(monkeypatch):
    """Runs are written anew when something comes behind them that is larger than they are, and never sooner."""
    monkeypatch.setattr(lake_runs, "SHORT", 0)
    monkeypatch.setattr(lake_runs, "SHARE", 1)


@pytest.mark.parametrize(
    ("old", "fresh", "anew"),
    [
        ([], 10, []),
        ([10 * SHORT], 10, []),
        ([SHORT], 10, [0]),
        ([100 * SHORT, SHORT], 10, [1]),
        ([100 * SHORT], 25 * SHORT, [0]),
        ([100 * SHORT], 24 * SHORT, []),
        ([100 * SHORT, 20 * SHORT], 5 * SHORT, [0, 1]),
        ([100 * SHORT, 20 * SHORT], 4 * SHORT, []),
    ],
)
def test_a_run_is_written_anew_once_what_is_behind_it_comes_to_a_share(old, fresh, anew):
    made = [Run((), rows) for rows in old]
    assert outgrown(made, fresh) == [made[number] for number in anew]


@given(st.lists(st.integers(1, 50 * SHORT), min_size=1, max_size=60))
def test_a_reader_reads_little_more_than_it_needs_and_a_row_is_written_a_few_times(folded):
    """As if every fresh row made an old one superfluous, and none were ever left out."""
    made, written = list[Run](), 0
    for fresh in folded:
        anew = outgrown(made, fresh)
        made = [*made[: len(made) - len(anew)], Run((), fresh + sum(run.rows for run in anew))]
        written += made[-1].rows
        for number, run in enumerate(made[:-1]):
            assert sum(later.rows for later in made[number + 1 :]) * SHARE < run.rows
        assert len(made) <= 10, "each is more than four times as long as all behind it"
    assert written <= sum(folded) * SHARE * 10 + len(folded) * SHORT


def current(lake: str, table: str) -> list[Run]:
    there = present(open_lake(lake), f"{table}_current")
    return runs(there, Ledger(open_lake(lake)).newest().pins[f"{table}_current"].snapshot_id)


def paths(found: list[Run]) -> list[set[str]]:
    return [{file.file_path for file in run.files} for run in found]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("lake", ["directory"], indirect=True)
def test_the_state_is_the_same_over_any_runs(drops, lake, seed, never_anew):
    sequence = random.Random(seed).sample(drops, len(drops))
    most = 0
    for number, drop in enumerate(sequence, 1):
        put(lake, drop, number)
        assert moviehouse.maintain(lake, grace_hours=0, keep_days=0).folded == 1
        most = max(most, len(current(lake, "movie")))
        assert state_of(lake) == expected(sequence[:number])
    assert most > 1


def test_a_fold_leaves_the_files_of_earlier_ones(lake, tmp_path, never_anew):
    whole = moviehouse.sample(tmp_path / "whole.zip", movies=300, ratings=900, seed=1)
    part = moviehouse.sample(tmp_path / "part.zip", movies=20, ratings=60, seed=2)
    moviehouse.load(whole.path, lake, observed_at="2024-01-01", max_rejects=0.9)
    moviehouse.maintain(lake)
    before = {table: current(lake, table) for table in ("movie", "rating", "cast_credit", "person")}
    moviehouse.load(part.path, lake, observed_at="2024-01-02", full=False, max_rejects=0.9)
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    for table, (first,) in before.items():
        kept, added = current(lake, table)
        assert paths([kept]) == paths([first])
        assert 0 < added.rows < kept.rows
    rows = moviehouse.ask("genre_revenue_by_year", lake=lake).rows
    lake_runs.SHORT = 1_000_000
    moviehouse.load(part.path, lake, observed_at="2024-01-03", full=False, max_rejects=0.9)
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert all(len(current(lake, table)) == 1 for table in before)
    assert moviehouse.ask("genre_revenue_by_year", lake=lake).rows == rows


@pytest.mark.long
def test_what_a_fold_leaves_that_ended_before_its_last_step_is_used_by_nobody(drops, lake, monkeypatch, never_anew):
    put(lake, drops[0], 0)
    moviehouse.maintain(lake)
    put(lake, drops[1], 1)
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            moviehouse.maintain(lake)
    left = {file.file_path for file in live_files(present(open_lake(lake), "movie_current"))}
    assert state_of(lake) == expected(drops[:2])
    put(lake, drops[2], 2)
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert state_of(lake) == expected(drops[:3])
    held = {file.file_path for file in live_files(present(open_lake(lake), "movie_current"))}
    assert held == set().union(*paths(current(lake, "movie")))
    assert left - held, "what the dead fold has written is gone"


@pytest.mark.long
def test_a_dead_fold_of_everything_anew_loses_nothing(drops, lake, monkeypatch, never_anew):
    """Its files replace those that the release names; the next fold has these again."""
    monkeypatch.setattr(lake_runs, "SHARE", 0)
    put(lake, drops[0], 0)
    moviehouse.maintain(lake)
    put(lake, drops[1], 1)
    moviehouse.maintain(lake)
    first = {path for files in paths(current(lake, "movie")) for path in files}
    put(lake, drops[2], 2)
    with monkeypatch.context() as patched:
        patched.setattr(lake_runs, "SHORT", 1 << 62)
        patched.setattr(Ledger, "commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            moviehouse.maintain(lake)
    table = present(open_lake(lake), "movie_current")
    assert not first & {file.file_path for file in live_files(table)}
    assert state_of(lake) == expected(drops[:3])
    put(lake, drops[3], 3)
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert first & {path for files in paths(current(lake, "movie")) for path in files}
    assert state_of(lake) == expected(drops[:4])


@pytest.mark.long
@pytest.mark.parametrize("lake", ["directory"], indirect=True)
def test_newer_logic_over_a_run_that_was_kept(drops, lake, never_anew):
    for number, drop in enumerate(drops[:3]):
        put(lake, drop, number)
        moviehouse.maintain(lake)
    assert any(len(current(lake, table)) > 1 for table in ("movie", "cast_credit", "rating"))
    put(lake, drops[0], 3, logic=LOGIC + 1)
    assert state_of(lake) == expected(drops[:3])
    assert moviehouse.maintain(lake).folded
    assert state_of(lake) == expected(drops[:3])


@pytest.mark.long
@pytest.mark.parametrize("lake", ["directory"], indirect=True)
def test_what_was_deleted_is_not_told_of_for_ever(drops, lake):
    counts = []
    for number, drop in enumerate(drops):
        put(lake, drop, number)
        moviehouse.maintain(lake)
        table = present(open_lake(lake), "movie_current")
        counts.append(len(table.current_snapshot().manifests(table.io)))
    assert max(counts) <= 2, "that of the files, and of those that the last fold has replaced"


def test_empty_lists_supersede_what_was_folded(tmp_path, never_anew):
    lake, movies = str(tmp_path / "lake"), range(1, 4)
    actor = "[{'cast_id': 1, 'character': 'x', 'credit_id': 'k%s', 'gender': 0, 'id': 1, 'name': 'p', 'order': 0}]"
    for number, cast in enumerate((actor, "[]")):
        source = small.write(
            tmp_path / f"drop-{number}",
            movies_metadata=small.movies(*({"id": str(movie)} for movie in movies)),
            credits=[{"id": str(m), "cast": cast.replace("%s", str(m)), "crew": "[]"} for m in movies],
        )
        moviehouse.load(source, lake, observed_at=datetime(2024, 1, 1 + number), full=False)
        assert moviehouse.maintain(lake).folded
        assert sum(run.rows for run in current(lake, "cast_credit")) == (0 if number else len(movies))


def test_a_file_that_is_gone_is_told_of(drops, lake):
    put(lake, drops[0], 0)
    table = present(open_lake(lake), "movie")
    table.io.delete(live_files(table)[0].file_path)
    with pytest.raises(SourceError, match="A file of the lake .* is gone"):
        state_of(lake)
    with pytest.raises(TargetError, match="A file of the lake .* is gone"):
        moviehouse.maintain(lake)


def test_a_file_of_the_log_of_set_aside_drops_that_is_gone_is_told_of(drops, lake, tmp_path):
    put(lake, drops[0], 0)
    (tmp_path / "broken.zip").write_bytes(b"no zip")
    with pytest.raises(SourceError, match="is not a zip archive"):
        moviehouse.load(tmp_path / "broken.zip", lake)
    table = present(open_lake(lake), LOG)
    table.io.delete(live_files(table)[0].file_path)
    with (
        pytest.raises(SourceError, match="A file of the lake .* is gone"),
        reading_lake(str(lake), {"set_aside_log"}),
    ):
        pass


def test_a_fold_whose_files_another_upkeep_removes_is_left_to_it(drops, lake, monkeypatch):
    put(lake, drops[0], 0)
    moviehouse.maintain(lake)
    put(lake, drops[1], 1)
    real, others = folds.parts_of, []

    def slow(*arguments):
        parts = real(*arguments)
        if not others:
            others.append(None)
            others[0] = moviehouse.maintain(lake, grace_hours=0, keep_days=0)
        return parts

    monkeypatch.setattr(folds, "parts_of", slow)
    assert moviehouse.maintain(lake).left == ["fold"]
    assert (others[0].folded, others[0].left) == (1, [])
    assert state_of(lake) == expected(drops[:2])


@pytest.mark.long
def test_of_two_folds_at_once_one_wins(drops, lake, monkeypatch, never_anew):
    put(lake, drops[0], 0)
    moviehouse.maintain(lake)
    put(lake, drops[1], 1)
    real, others = folds.write_files, []

    def slow(con, query, table):
        if not others and table.name()[-1] == "movie_current":
            others.append(None)
            put(lake, drops[2], 2)
            others[0] = moviehouse.maintain(lake)
        return real(con, query, table)

    monkeypatch.setattr(folds, "write_files", slow)
    mine = moviehouse.maintain(lake)
    assert (others[0].folded, others[0].left) == (2, [])
    assert (mine.folded, mine.left) == (0, ["fold"])
    assert state_of(lake) == expected(drops[:3])
    moviehouse.maintain(lake, grace_hours=0, keep_days=0)
    assert state_of(lake) == expected(drops[:3])


@pytest.mark.parametrize("lake", ["directory"], indirect=True)
def test_what_is_large_enough_is_put_together_no_further(lake, drops, monkeypatch):
    """By bytes alone, files of narrow rows would be written anew with every upkeep."""
    for number, drop in enumerate(drops[:3]):
        put(lake, drop, number)
    table = present(open_lake(lake), "movie")
    rows = [file.record_count for file in live_files(table)]
    monkeypatch.setattr(compacts, "SHORT_FILE", min(rows))
    assert compact(table, few=1) is None
    monkeypatch.setattr(compacts, "SHORT_FILE", max(rows) + 1)
    assert compact(table, few=1)


@pytest.mark.parametrize("limit", ["banana", "2", "-1GiB", ""])
def test_upkeep_refuses_what_is_no_amount_of_memory(limit, tmp_path):
    with pytest.raises(UsageError, match="is not an amount of memory"):
        moviehouse.maintain(tmp_path / "lake", memory_limit=limit)


def test_what_does_not_fit_the_memory_has_a_folder_to_spill_to(tmp_path):
    """DuckDB makes the folder that it spills to, but not the one around it."""
    engine = DuckDB(tmp_path / "x.duckdb", tmp_path / "none" / "work", memory_limit="40MB", threads=1)
    engine.con.execute("CREATE TABLE memory.main.t AS SELECT i, hash(i)::VARCHAR AS h FROM range(2_000_000) AS r(i)")
    assert engine.scalar("SELECT count(DISTINCT h) FROM t") == 2_000_000
    assert (tmp_path / "none" / "work" / "spill").is_dir()
