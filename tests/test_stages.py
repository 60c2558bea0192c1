"""Stages: what is loaded beside production is seen by nobody, then by everybody, and can be taken out again."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event, Thread

import forks
import pytest
from lake_pool import Watch, expected, is_exact, pool, put, rows_in, shown, state_of
from test_lake_faults import MODULES, commits, points

import moviehouse
from moviehouse import cli
from moviehouse.errors import SourceError, TargetError, UsageError
from moviehouse.lake import compact as compacts
from moviehouse.lake import load as loads
from moviehouse.lake import maintain as upkeeps
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.ledger import Ledger, now
from moviehouse.lake.stages import newest_pins, noted_stages
from moviehouse.lake.tables import present
from moviehouse.model.lake import LAKE_TABLES, LOGIC

on_a_disk = pytest.mark.parametrize("lake", ["directory"], indirect=True)
NOW = {"grace_hours": 0, "keep_days": 0}


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("drops"), 6, seed=4)


def staged(lake: str, drops, stage: str = "fix", start: int = 100, **more) -> None:
    for number, drop in enumerate(drops, start):
        assert put(lake, drop, number, stage=stage, **more).done


def is_and_stays(lake: str, want) -> None:
    """The state of a lake, before upkeep and after it."""
    assert state_of(lake) == want
    moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == want


def test_a_stage_is_seen_only_once_it_is_published_and_then_as_if_it_had_been_loaded(lake, drops):
    put(lake, drops[0], 0)
    staged(lake, drops[1:4])
    assert state_of(lake) == expected(drops[:1])
    assert state_of(lake, stage="fix") == expected(drops[:4])
    (stage,) = moviehouse.stages(lake).list()
    assert (stage.name, stage.status, len(stage.readings)) == ("fix", "staged", 3)
    assert stage.rows == sum(len(rows) for drop in drops[1:4] for rows in drop.rows.values())
    done = moviehouse.stages(lake).publish("fix")
    assert (done.status, done.release, done.readings, done.hidden) == ("published", 2, 3, 0)
    assert state_of(lake) == state_of(lake, stage="fix") == expected(drops[:4])
    is_exact(lake)
    releases = Ledger(open_lake(lake)).releases()
    assert [release.kind for release in releases] == ["load", "publish"]
    again = moviehouse.stages(lake).publish("fix")
    assert (again.status, again.release, again.readings) == ("already", 2, 0)
    assert moviehouse.stages(lake).show("fix").status == "published"


@pytest.mark.long
@on_a_disk
def test_a_load_into_a_stage_does_all_but_the_last_step(lake, drops):
    def load(drop, **more):
        return moviehouse.load(drop.path, lake, observed_at=drop.observed_at, full=drop.full, **more)

    first = load(drops[0], stage="first-ever")  # a lake may begin with a stage
    assert (first.status, first.release, first.reading.stage) == ("staged", 0, "first-ever")
    assert moviehouse.maintain(lake, **NOW).release == 0, "there is something to keep, and nothing to see"
    with pytest.raises(SourceError, match="has no release yet"):
        state_of(lake)
    assert state_of(lake, stage="first-ever") == expected(drops[:1])
    again = load(drops[0], stage="first-ever")
    assert (again.status, again.reading.reading_id) == ("already", first.reading.reading_id)
    assert "read" not in again.run.seconds, "it was read before the ledger was asked"
    assert load(drops[0], stage="another").status == "staged"
    assert load(drops[0]).status == "loaded", "production does not wait for a stage"
    already = load(drops[0], stage="third")
    assert (already.status, already.release, already.reading.stage) == ("already", 1, "")
    assert [stage.name for stage in moviehouse.stages(lake).list()] == ["first-ever", "another"]
    for name in ("first-ever", "another"):  # the same reading thrice: one of them counts
        moviehouse.stages(lake).publish(name)
        assert state_of(lake) == expected(drops[:1])
    moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == expected(drops[:1])


def test_a_broken_drop_is_set_aside_and_not_staged(tmp_path):
    lake = str(tmp_path / "lake")
    (tmp_path / "drop.zip").write_text("no zip")
    with pytest.raises(SourceError):
        moviehouse.load(tmp_path / "drop.zip", lake, stage="fix")
    assert moviehouse.stages(lake).list() == ()
    assert [row["stage"] for row in Ledger(open_lake(lake)).noted()] == ["fix"]


@pytest.mark.parametrize("name", ["", "a b", "-q", "../x", "a" * 101])
def test_what_cannot_be_the_name_of_a_stage(tmp_path, drops, name):
    with pytest.raises(UsageError, match="cannot be the name of a stage"):
        moviehouse.load(drops[0].path, tmp_path / "lake", stage=name)
    assert not (tmp_path / "lake").exists()


@pytest.mark.long
@on_a_disk
def test_undo_brings_back_the_state_before_and_keeps_what_was_loaded_since(lake, drops):
    put(lake, drops[0], 0)
    staged(lake, drops[1:3])
    moviehouse.stages(lake).publish("fix")
    published = Ledger(open_lake(lake)).newest().created_at
    put(lake, drops[3], 3)
    moviehouse.maintain(lake)  # what is undone is folded
    done = moviehouse.stages(lake).undo("fix")
    assert (done.status, done.readings) == ("undone", 2)
    want = expected([drops[0], drops[3]])
    is_and_stays(lake, want)
    assert state_of(lake, as_of=published) == expected(drops[:3]), "a past release is as it was"
    assert moviehouse.stages(lake).undo("fix").status == "already"
    assert moviehouse.stages(lake).publish("fix").readings == 2
    assert state_of(lake) == expected(drops[:4])


@pytest.mark.long
@on_a_disk
def test_a_drop_that_only_a_stage_shows_is_loaded_and_stays_after_an_undo(lake, drops):
    def load(drop, **more):
        return moviehouse.load(drop.path, lake, observed_at=drop.observed_at, full=drop.full, **more).status

    staged(lake, drops[:2])
    moviehouse.stages(lake).publish("fix")
    assert [load(drops[0]), load(drops[0])] == ["loaded", "already"]
    assert load(drops[1], stage="other") == "staged", "to undo the one stage must not take it from the other"
    assert state_of(lake) == expected(drops[:2])
    moviehouse.stages(lake).undo("fix")
    is_and_stays(lake, expected(drops[:1]))
    moviehouse.stages(lake).publish("other")
    is_and_stays(lake, expected(drops[:2]))


def test_a_grace_shorter_than_a_load_may_take_is_refused(tmp_path):
    with pytest.raises(UsageError, match="at least 12"):
        moviehouse.maintain(tmp_path / "lake", grace_hours=1)


@pytest.mark.long
def test_to_undo_all_there_is_leaves_an_empty_release(tmp_path, drops):
    lake = str(tmp_path / "lake")
    staged(lake, drops[:2])
    moviehouse.stages(lake).publish("fix")
    moviehouse.maintain(lake, **NOW)
    moviehouse.stages(lake).undo("fix")
    is_and_stays(lake, expected([]))
    assert state_of(lake, stage="fix") == expected(drops[:2])


@pytest.mark.long
@on_a_disk
def test_newer_logic_reads_old_drops_again_and_hides_the_old_readings_whole(lake, drops):
    """The newer logic reads of the first drop what is in the third, and of the second no credits and no ratings."""
    for number, drop in enumerate(drops[:2]):
        put(lake, drop, number)
    before = state_of(lake)
    moviehouse.maintain(lake, **NOW)
    fewer = {"movie", "movie_genre", "genre", "error_log", "movie_observation"}
    stamp = {"drop_id": drops[0].drop_id, "observed_at": drops[0].observed_at}
    stamped = {table: [row | stamp for row in rows] for table, rows in drops[2].rows.items()}
    other = replace(drops[2], **stamp, full=drops[0].full, rows=stamped)
    less = replace(drops[1], rows={table: rows if table in fewer else [] for table, rows in drops[1].rows.items()})
    staged(lake, [other], logic=LOGIC + 1)
    staged(lake, [less], start=200, logic=LOGIC + 1, tables=fewer)
    want = expected([other, less])
    assert any(drops[1].rows[table] for table in ("cast_credit", "rating"))
    assert state_of(lake) == before
    assert state_of(lake, stage="fix") == want
    done = moviehouse.stages(lake).publish("fix")
    assert (done.readings, done.hidden) == (2, 2)
    is_and_stays(lake, want)
    assert put(lake, drops[0], 9) is None, "older logic adds nothing"
    done = moviehouse.stages(lake).undo("fix")
    assert (done.readings, done.hidden) == (2, 2)
    is_and_stays(lake, before)


@pytest.mark.long
def test_a_drop_is_loaded_again_when_the_logic_is_newer(tmp_path, drops, monkeypatch):
    lake, options = str(tmp_path / "lake"), {"observed_at": drops[0].observed_at, "full": drops[0].full}
    moviehouse.load(drops[0].path, lake, **options)
    monkeypatch.setattr(loads, "LOGIC", LOGIC + 1)
    assert [moviehouse.load(drops[0].path, lake, **options, stage="fix").status for _ in "12"] == ["staged", "already"]
    monkeypatch.setattr(loads, "LOGIC", LOGIC + 2)
    assert moviehouse.load(drops[0].path, lake, **options, stage="fix").status == "staged"
    assert moviehouse.stages(lake).publish("fix").hidden == 1
    (reading,) = Ledger(open_lake(lake)).newest().visible.values()
    assert reading.logic == LOGIC + 2
    assert state_of(lake) == expected(drops[:1])


def files_of(lake: str, table: str) -> list[set[str]]:
    """The readings of each file of a table."""
    there = present(open_lake(lake), table)
    tasks = there.scan().plan_files() if there else []
    return [
        {compacts._first(there, task.file), compacts._last(there, task.file)} for task in tasks
    ]  # first and last are all that tells here, as each file has few


@pytest.mark.long
def test_upkeep_between_staging_and_publishing_loses_nothing(lake, drops, monkeypatch):
    monkeypatch.setattr(upkeeps, "compact", partial(compacts.compact, few=1))
    for number, drop in enumerate(drops[:2]):
        put(lake, drop, number)
    staged(lake, drops[2:4])
    put(lake, drops[4], 5)
    assert moviehouse.maintain(lake, **NOW).compacted
    waits = {reading.reading_id for reading in moviehouse.stages(lake).show("fix").staged}
    together = [readings for table in LAKE_TABLES for readings in files_of(lake, table.name)]
    assert any(len(readings) == 2 for readings in together), "nothing was compacted"
    assert all(readings <= waits or not readings & waits for readings in together)
    (pins,) = newest_pins(noted_stages(Ledger(open_lake(lake)).noted()).values()).values()
    assert pins
    for table, pin in pins.items():
        assert present(open_lake(lake), table).snapshot_by_id(pin.snapshot_id), "a snapshot of the stage expired"
    assert state_of(lake) == expected([*drops[:2], drops[4]])
    assert state_of(lake, stage="fix") == expected(drops[:5])
    moviehouse.stages(lake).publish("fix")
    assert state_of(lake) == expected(drops[:5])
    is_exact(lake)


@pytest.mark.long
@on_a_disk
def test_what_is_discarded_is_removed_by_upkeep_and_its_name_is_free(lake, drops, monkeypatch):
    monkeypatch.setattr(upkeeps, "compact", partial(compacts.compact, few=1))
    put(lake, drops[0], 0)
    staged(lake, drops[1:4])
    moviehouse.maintain(lake, **NOW)
    waits = {reading.reading_id for reading in moviehouse.stages(lake).show("fix").staged}
    done = moviehouse.stages(lake).discard("fix")
    assert (done.status, done.readings) == ("discarded", 3)
    assert moviehouse.stages(lake).discard("fix").status == "already"
    assert moviehouse.stages(lake).show("fix").status == "discarded"
    for refused in (partial(moviehouse.stages(lake).publish, "fix"), partial(state_of, lake, stage="fix")):
        with pytest.raises(UsageError, match="was discarded"):
            refused()
    moviehouse.maintain(lake, keep_days=0)
    assert waits <= {r for counts in rows_in(lake).values() for r in counts}, "somebody may be publishing it still"
    moviehouse.maintain(lake, **NOW)
    assert not waits & {r for counts in rows_in(lake).values() for r in counts}
    assert state_of(lake) == expected(drops[:1])
    is_exact(lake)
    again = moviehouse.maintain(lake, **NOW)
    assert again.compacted == [], "upkeep has nothing more to do"
    staged(lake, drops[1:2], start=300)
    assert moviehouse.stages(lake).show("fix").status == "staged"
    assert moviehouse.stages(lake).publish("fix").readings == 1
    assert state_of(lake) == expected(drops[:2])


@pytest.mark.long
def test_what_is_published_is_not_discarded(tmp_path, drops):
    lake = str(tmp_path / "lake")
    staged(lake, drops[:2])
    stages = moviehouse.stages(lake)
    stages.publish("fix")
    with pytest.raises(UsageError, match="is published") as caught:
        stages.discard("fix")
    assert "stage undo fix" in caught.value.hint
    staged(lake, drops[2:3], start=300)
    assert stages.show("fix").status == "partly published"
    assert stages.discard("fix").readings == 1
    assert stages.show("fix").status == "published"
    stages.undo("fix")
    stages.discard("fix")
    moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == expected([])
    first = Ledger(open_lake(lake)).releases()[0]
    assert state_of(lake, as_of=first.created_at) == expected(drops[:2]), "a release had it: its rows stay"


def test_staging_may_take_longer_than_a_load_may(tmp_path, drops, monkeypatch):
    lake = str(tmp_path / "lake")
    staged(lake, drops[:1])
    monkeypatch.setattr(loads, "LONGEST", timedelta(seconds=-1))
    with pytest.raises(TargetError, match="took longer"):
        put(lake, drops[1], 1, stage="fix")
    assert moviehouse.stages(lake).publish("fix").readings == 1
    assert state_of(lake) == expected(drops[:1])


@pytest.mark.long
def test_a_reader_sees_the_state_before_or_the_one_after(tmp_path, drops):
    lake, stop, failed = str(tmp_path / "lake"), Event(), []
    put(lake, drops[0], 0)
    staged(lake, drops[1:])
    watch = Watch(lake, drops)

    def poll() -> None:
        try:
            watch.poll(stop)
        except BaseException as error:
            failed.append(error)
            raise

    reader = Thread(target=poll)
    reader.start()
    while not watch.seen and not failed:
        stop.wait(0.05)
    stages = moviehouse.stages(lake)
    for turn in (stages.publish, stages.undo, stages.publish):
        count = len(watch.seen)
        turn("fix")
        while len(watch.seen) < count + 2 and not failed:
            stop.wait(0.05)
    stop.set()
    reader.join()
    assert not failed
    assert watch.seen == sorted(watch.seen)
    assert {1, 4} <= set(watch.seen)


@pytest.mark.long
def test_a_kill_at_any_commit_of_a_publish_and_of_an_undo(tmp_path, drops):
    def lake_at(name: str) -> str:
        lake = str(tmp_path / name)
        put(lake, drops[0], 0)
        staged(lake, drops[1:3])
        return lake

    every, first = [0, 1, 2], [0]
    with forks.forks(modules=(*MODULES, "moviehouse.lake.publish")) as server:
        counted, lake = lake_at("counted"), lake_at("lake")
        for word, before, after in (("publish", first, every), ("undo", every, first)):
            command = ["stage", word, "fix", "-q", "--lake"]
            found = points(server, *command, counted)
            assert [found[n] for n in commits(found)] == ["commit moviehouse.release"], "one commit, to the ledger"
            for when, seen in (("before", before), ("after", after)):
                assert server.run(*command, lake, point=commits(found)[0], when=when).status is None
                assert shown(lake, drops) == seen
                assert state_of(lake) == expected([drops[n] for n in seen])
            assert server.run(*command, lake).status == 0
            assert shown(lake, drops) == after
        command = ["stage", "discard", "fix", "-q", "--lake"]
        found = points(server, *command, counted)
        assert [found[n] for n in commits(found)] == ["commit moviehouse.reading"]
        assert server.run(*command, lake, point=commits(found)[0]).status is None
        assert moviehouse.stages(lake).show("fix").status == "staged"
        assert server.run(*command, lake, point=commits(found)[0], when="after").status is None
        assert moviehouse.stages(lake).show("fix").status == "discarded"


@pytest.mark.long
def test_a_kill_of_a_load_into_a_stage_leaves_nothing_of_it(tmp_path, drops):
    lake, drop = str(tmp_path / "lake"), drops[1]
    put(lake, drops[0], 0)
    command = ["load", *drop.arguments, "-q", "--threads", "1", "--stage", "fix", "--lake"]
    with forks.forks(modules=MODULES) as server:
        put(str(tmp_path / "counted"), drops[0], 0)
        found = points(server, *command, tmp_path / "counted")
        assert found[commits(found)[-1]] == "commit moviehouse.reading"
        for place, when in ((commits(found)[3], "after"), (commits(found)[-1], "before")):
            assert server.run(*command, lake, point=place, when=when).status is None
            assert moviehouse.stages(lake).list() == ()
        assert server.run(*command, lake, point=commits(found)[-1], when="after").status is None
        assert len(moviehouse.stages(lake).show("fix").staged) == 1
        assert server.run(*command, lake).status == 0, "it is there already"
    assert len(moviehouse.stages(lake).show("fix").staged) == 1
    moviehouse.maintain(lake, **NOW)
    assert len({r for counts in rows_in(lake).values() for r in counts}) == 2, "the rows of the killed are gone"
    moviehouse.stages(lake).publish("fix")
    assert state_of(lake) == expected(drops[:2])


def meanwhile(monkeypatch, name: str, what) -> None:
    """Have something happen just before the ledger's next call of a method."""
    real, done = getattr(Ledger, name), []

    def call(self, *arguments, **more):
        if not done:
            done.append(1)
            what()
        return real(self, *arguments, **more)

    monkeypatch.setattr(Ledger, name, call)


@pytest.mark.long
def test_a_load_that_commits_first_is_no_harm_to_a_publish(lake, drops, monkeypatch):
    put(lake, drops[0], 0)
    staged(lake, drops[1:3])
    meanwhile(monkeypatch, "_append", lambda: put(lake, drops[3], 3))
    done = moviehouse.stages(lake).publish("fix")
    assert (done.status, done.release, done.conflicts, done.readings) == ("published", 3, 1, 2)
    assert state_of(lake) == expected(drops[:4])


@pytest.mark.long
def test_a_publish_that_commits_first_is_no_harm_to_a_load_and_to_upkeep(tmp_path, drops, monkeypatch):
    lake = str(tmp_path / "lake")
    put(lake, drops[0], 0)
    staged(lake, drops[1:3])
    with monkeypatch.context() as patched:
        meanwhile(patched, "_append", lambda: moviehouse.stages(lake).publish("fix"))
        assert put(lake, drops[3], 3).conflicts == 1
    assert state_of(lake) == expected(drops[:4])
    with monkeypatch.context() as patched:
        meanwhile(patched, "_append", lambda: moviehouse.stages(lake).undo("fix"))
        moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == expected([drops[0], drops[3]])


@pytest.mark.long
def test_loaders_in_processes_and_a_publish_between_them(tmp_path, drops):
    lake = str(tmp_path / "lake")
    put(lake, drops[0], 0)
    command = [sys.executable, "-m", "moviehouse"]
    loaders = [
        subprocess.Popen([*command, *map(str, ["load", *drop.arguments, "--lake", lake, "-q", *stage])])
        for drop, stage in zip(drops[1:5], ([], ["--stage", "fix"], [], ["--stage", "fix"]), strict=True)
    ]
    assert [loader.wait() for loader in loaders] == [0, 0, 0, 0]
    assert state_of(lake) == expected([drops[0], drops[1], drops[3]])
    loader = subprocess.Popen([*command, *map(str, ["load", *drops[5].arguments, "--lake", lake, "-q"])])
    while loader.poll() is None:
        moviehouse.stages(lake).publish("fix")
        moviehouse.stages(lake).undo("fix")
    assert loader.returncode == 0
    moviehouse.stages(lake).publish("fix")
    assert state_of(lake) == expected(drops)


@pytest.mark.long
def test_what_is_discarded_and_published_at_the_same_moment_is_whole_either_way(tmp_path, drops, monkeypatch):
    lake = str(tmp_path / "lake")
    put(lake, drops[0], 0)
    staged(lake, drops[1:2])
    with monkeypatch.context() as patched:
        meanwhile(patched, "note", lambda: moviehouse.stages(lake).publish("fix"))
        with pytest.raises(TargetError, match="published at the same moment") as caught:
            moviehouse.stages(lake).discard("fix")
    assert not caught.value.retry
    assert moviehouse.stages(lake).show("fix").status == "published"
    moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == expected(drops[:2])
    staged(lake, drops[2:3], stage="other")
    with monkeypatch.context() as patched:
        meanwhile(patched, "_append", lambda: moviehouse.stages(lake).discard("other"))
        assert moviehouse.stages(lake).publish("other").status == "published"
    moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == expected(drops[:3])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_loads_stages_and_upkeep(tmp_path, drops, seed, monkeypatch):
    """Against a model: what is visible is what was loaded, and what is in the stages that are published."""
    monkeypatch.setattr(upkeeps, "compact", partial(compacts.compact, few=2))
    lake, rng = str(tmp_path / "lake"), random.Random(seed)
    loaded, stages, published = {0}, {"a": set(), "b": set()}, set()
    put(lake, drops[0], 0)

    def seen() -> set[int]:
        return loaded.union(*(stages[name] for name in published))

    for step in range(1, 19):
        name, number = rng.choice("ab"), rng.randrange(len(drops))
        what = rng.choice(["load", "stage", "stage", "stage", "publish", "undo", "discard", "maintain"])
        if what == "load":
            if put(lake, drops[number], step):
                loaded.add(number)
        elif what == "stage" and name not in published:
            if put(lake, drops[number], step, stage=name):
                stages[name].add(number)
        elif what == "publish" and stages[name]:
            moviehouse.stages(lake).publish(name)
            published.add(name)
        elif what == "undo" and stages[name]:
            moviehouse.stages(lake).undo(name)
            published.discard(name)
        elif what == "discard" and stages[name] and name not in published:
            moviehouse.stages(lake).discard(name)
            stages[name] = set()
        elif what == "maintain":
            moviehouse.maintain(lake, **rng.choice([NOW, {}]))
        assert shown(lake, drops) == sorted(seen())
    for name in "ab":
        if stages[name]:
            assert state_of(lake, stage=name) == expected([drops[n] for n in sorted(seen() | stages[name])])
    moviehouse.maintain(lake, **NOW)
    assert state_of(lake) == expected([drops[n] for n in sorted(seen())])
    is_exact(lake)


def test_a_name_that_is_no_stage(tmp_path, drops):
    lake = str(tmp_path / "lake")
    put(lake, drops[0], 0)
    stages = moviehouse.stages(lake)
    with pytest.raises(UsageError, match="has no stage 'fix'") as caught:
        stages.publish("fix")
    assert "--stage NAME" in caught.value.hint
    for number, name in enumerate(("year-2023", "year-2024", "logic-2")):
        staged(lake, drops[1:2], stage=name, start=10 * number + 10)
    for method in (stages.show, stages.publish, stages.undo, stages.discard):
        with pytest.raises(UsageError, match="has no stage 'yaer-2024'") as caught:
            method("yaer-2024")
        assert caught.value.hint == "Did you mean year-2024 or year-2023?"
    with pytest.raises(UsageError) as caught:
        moviehouse.ask("genre_revenue_by_year", lake=lake, stage="x")
    assert caught.value.hint == "Those there are: logic-2, year-2024, year-2023."
    with pytest.raises(UsageError, match="exclude each other"):
        moviehouse.trace("genre_revenue_by_year", lake=lake, stage="logic-2", as_of=now(), genre="12")
    assert Ledger(open_lake(lake)).newest().number == 1


@pytest.mark.long
def test_a_lake_made_before_there_were_stages(lake, drops, tmp_path):
    (tmp_path / "bad.zip").write_text("bad")
    put(lake, drops[0], 0)
    with pytest.raises(SourceError):
        moviehouse.load(tmp_path / "bad.zip", lake)
    with present(open_lake(lake), "reading").update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("stage").delete_column("snapshots")
    assert moviehouse.stages(lake).list() == ()
    moviehouse.maintain(lake, **NOW)
    staged(lake, drops[1:2])
    moviehouse.stages(lake).publish("fix")
    assert state_of(lake) == expected(drops[:2])
    assert [row["status"] for row in Ledger(open_lake(lake)).noted()] == ["set_aside", "staged"]


@pytest.fixture
def run(capsys):
    """What the command prints, on standard output or, where it fails, on standard error."""

    def run(*arguments: object, status: int = 0) -> str:
        capsys.readouterr()
        assert cli.run([str(argument) for argument in arguments]) == status
        out, err = capsys.readouterr()
        return err if status else out

    return run


def test_the_commands(tmp_path, drops, run):
    at = ("--lake", tmp_path / "lake")
    assert "There is no lake" in run("stage", "list", *at, status=1)
    run("load", *drops[0].arguments, *at, "-q")
    assert "has no stage" in run("stage", "list", *at)
    load = ("load", *drops[1].arguments, *at, "--stage", "fix")
    told = run(*load)
    assert "It is staged" in told
    assert f"moviehouse stage publish fix --lake {tmp_path / 'lake'}" in told
    told = json.loads(run(*load, "--json"))
    assert (told["status"], told["reading"]["stage"]) == ("already", "fix")
    assert "The stage fix has this drop already" in run(*load)
    assert "fix    staged" in run("stage", "list", *at)
    (row,) = json.loads(run("stage", "list", *at, "--format", "json"))
    assert (row["stage"], row["status"], row["readings"]) == ("fix", "staged", 1)
    assert "Stage fix, staged: 1 reading, " in run("stage", "show", "fix", *at)
    assert run("stage", "show", "fix", *at, "--format", "csv").splitlines()[1].startswith("2024-01-01")


def test_the_commands_that_change_a_stage_and_those_that_look_into_it(tmp_path, drops, run):
    lake, at = str(tmp_path / "lake"), ("--lake", tmp_path / "lake")
    put(lake, drops[0], 0)
    staged(lake, drops[1:2])
    count = ("sql", "SELECT count(*) AS n FROM movie", *at, "--format", "csv")
    both = len({row["movie_id"] for drop in drops[:2] for row in drop.rows["movie"]})
    assert run(*count).split() == ["n", str(len(drops[0].rows["movie"]))]
    assert run(*count, "--stage", "fix").split() == ["n", str(both)]
    ask = ("ask", "genre-most-popular-by-year", *at, "--format", "csv")
    beside = run(*ask, "--stage", "fix")
    assert beside != run(*ask)
    assert "It adds up" in run("trace", "genre-revenue-by-year", *at, "--genre", "12", "--stage", "fix")
    assert "Release 2" in run("stage", "publish", "fix", *at)
    assert run(*ask) == beside
    assert "published already" in run("stage", "publish", "fix", *at)
    assert "is published" in run("stage", "discard", "fix", *at, status=2)
    done = json.loads(run("stage", "undo", "fix", *at, "--json"))
    assert (done["status"], done["release"], done["readings"]) == ("undone", 3, 1)
    assert "Nothing of stage fix is published" in run("stage", "undo", "fix", *at)
    assert run("stage", "discard", "fix", *at, "-q") == ""
    assert "discarded already" in run("stage", "discard", "fix", *at)
    assert "Did you mean fix" in run("stage", "show", "fixx", *at, status=2)
    for words in (("ask", ask[1]), ("trace", ask[1], "--genre", "12"), ("sql", "FROM movie")):
        assert "--stage is about a lake" in run(*words, "--stage", "fix", status=2)
