"""The ledger of a lake: numbers without a gap, nothing lost and nothing twice, whoever commits at the same time."""

import subprocess
import sys
import textwrap
from datetime import datetime, timedelta

import pytest

from moviehouse.errors import SourceError, UsageError
from moviehouse.lake import ledger as ledgers
from moviehouse.lake.catalog import open_lake, told
from moviehouse.lake.ledger import Change, Ledger, Pin, Reading, later

TIME = datetime(2020, 1, 1)
COMMITS = 12

# Commits readings of its own, one after the other, as fast as it can.
LOADER = """
import sys
from datetime import datetime
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Change, Ledger, Pin, Reading

address, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = Ledger(open_lake(address, create=True), create=True)
print("ready", flush=True)
sys.stdin.readline()
for i in range(count):
    reading = Reading(f"{name}-{i}", f"drop-{name}-{i}", datetime(2020, 1, 1), 1, True, rows={"movie": i})
    done = ledger.commit(lambda newest: None if newest.shows(reading) else Change("load", (reading,)))
    assert done.done
    print(done.release.number, done.conflicts)
"""


def reading(name: str, **more) -> Reading:
    return Reading(
        **{"reading_id": name, "drop_id": f"drop {name}", "observed_at": TIME, "logic": 1, "full": True, **more}
    )


def commit(ledger: Ledger, *readings: Reading, **more):
    return ledger.commit(lambda _: Change("load", readings, **more)).release


def test_two_processes_commit_at_the_same_time(lake):
    code = textwrap.dedent(LOADER)
    loaders = [
        subprocess.Popen(
            [sys.executable, "-c", code, lake, name, str(COMMITS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    for loader in loaders:  # the tables are made by both at once; then they start together
        assert loader.stdout.readline() == "ready\n"
    for loader in loaders:
        loader.stdin.write("go\n")
        loader.stdin.flush()
    told = [loader.communicate()[0] for loader in loaders]
    assert [loader.returncode for loader in loaders] == [0, 0]
    numbers = [int(line.split()[0]) for text in told for line in text.splitlines()]
    conflicts = sum(int(line.split()[1]) for text in told for line in text.splitlines())
    assert sorted(numbers) == list(range(1, 2 * COMMITS + 1))
    assert conflicts, "the two never met"
    ledger = Ledger(open_lake(lake))
    releases = ledger.releases()
    assert [r.number for r in releases] == sorted(numbers)
    assert set(releases[-1].visible) == {f"{name}-{i}" for name in "ab" for i in range(COMMITS)}
    assert len({r.release_id for r in releases}) == 2 * COMMITS
    assert [r.created_at for r in releases] == sorted(r.created_at for r in releases)


def test_releases_add_up_and_a_past_one_can_be_read(lake, monkeypatch):
    monkeypatch.setattr(ledgers, "BASE_EVERY", 3)
    ledger = Ledger(open_lake(lake, create=True), create=True)
    assert ledger.newest() is None
    made = [commit(ledger, reading(f"r{i}"), pins={"movie": Pin(100 + i, i)}) for i in range(8)]
    made.append(ledger.commit(lambda _: Change("undo", remove=("r3",))).release)
    made.append(ledger.commit(lambda _: Change("maintain", folded=frozenset({"r0", "r1"}))).release)
    again = Ledger(open_lake(lake))
    assert again.releases() == made
    assert again.newest() == made[-1]
    assert set(made[-1].readings) == {f"r{i}" for i in range(8)} - {"r3"}
    assert made[-1].folded == {"r0", "r1"}
    assert made[-1].pins == {"movie": Pin(107, 7)}
    for release in made:
        assert again.newest(as_of=release.created_at).number >= release.number
        assert again.newest(as_of=release.created_at).created_at == release.created_at
    assert again.newest(as_of=made[0].created_at - timedelta(seconds=1)) is None


def test_a_drop_counts_once_by_its_newest_logic():
    older = reading("r1", drop_id="d")
    newer = reading("r2", drop_id="d", logic=2)
    partial = reading("r3", drop_id="d", full=False)
    other = reading("r4", drop_id="d", observed_at=TIME + timedelta(hours=1))
    release = ledgers.Release(1, readings={r.reading_id: r for r in (newer, older, other)})
    assert set(release.visible) == {"r2", "r4"}
    assert release.shows(reading("r5", drop_id="d")) == newer, "older logic adds nothing"
    assert release.shows(reading("r5", drop_id="d", logic=3)) is None
    assert release.shows(partial) == newer, "so does a part of what is there whole"
    alone = ledgers.Release(1, readings={"r3": partial})
    assert alone.shows(older) is None
    assert set(ledgers.Release(1, readings={"r1": older, "r3": partial}).visible) == {"r1"}


def test_the_later_snapshot_of_each_table_is_kept():
    one, other = {"a": Pin(1, 5), "b": Pin(2, 1)}, {"a": Pin(3, 4), "c": Pin(4, 1)}
    assert later(one, other) == {"a": Pin(1, 5), "b": Pin(2, 1), "c": Pin(4, 1)}


@pytest.mark.parametrize("landed", [True, False])
def test_after_a_lost_answer_the_ledger_is_read_before_the_next_try(lake, monkeypatch, landed):
    from pyiceberg.exceptions import CommitStateUnknownException

    ledger = Ledger(open_lake(lake, create=True), create=True)
    commit(ledger, reading("r0"))
    table, tries = type(ledger._release), []
    real = table._do_commit

    def lossy(self, updates, requirements):
        tries.append(1)
        if len(tries) == 1 and not landed:
            raise CommitStateUnknownException("lost before it came")
        real(self, updates, requirements)
        if len(tries) == 1:
            raise CommitStateUnknownException("lost after it came")

    monkeypatch.setattr(table, "_do_commit", lossy)
    release = commit(ledger, reading("r1"))
    assert (release.number, len(tries)) == (2, 1 if landed else 2)
    assert [r.number for r in ledger.releases()] == [1, 2]
    assert set(ledger.newest().visible) == {"r0", "r1"}


def test_what_was_set_aside_is_noted(lake):
    ledger = Ledger(open_lake(lake, create=True), create=True)
    assert ledger.noted() == []
    ledger.note(reading("r1", rows={"movie": 3}), "set_aside", "It is no zip.")
    (row,) = ledger.noted()
    assert (row["reading_id"], row["status"], row["why"]) == ("r1", "set_aside", "It is no zip.")
    assert ledger.newest() is None


def test_addresses_that_are_no_lake(tmp_path, monkeypatch):
    with pytest.raises(SourceError, match="There is no lake in"):
        open_lake(str(tmp_path / "none"))
    with pytest.raises(UsageError, match="is no lake"):
        open_lake("s3://bucket/lake")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file, not a lake"):
        open_lake(str(tmp_path / "file"))
    with pytest.raises(UsageError, match="may not contain"):
        open_lake(str(tmp_path / "a?b"), create=True)


def test_a_catalog_that_cannot_be_used_is_told_without_its_secrets(s3, monkeypatch):
    with pytest.raises(SourceError) as caught:
        open_lake("http://user:hunter2hunter2@127.0.0.1:9/catalog")
    assert caught.value.retry
    assert "does not answer" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    from conftest import rest_lake

    name = rest_lake(s3, monkeypatch)
    monkeypatch.setenv(f"PYICEBERG_CATALOG__{name.upper()}__CLIENT__SECRET_ACCESS_KEY", "wrong-secret-key")
    with pytest.raises(SourceError) as caught, told(name, writing=False):
        Ledger(open_lake(name)).newest()
    assert not caught.value.retry
    assert "does not let us in" in str(caught.value)
    assert "wrong-secret-key" not in str(caught.value)
