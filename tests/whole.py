"""Whether a release is whole: all its files are of one run and hold what that run says they do."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb

from moviehouse.model.tables import TABLES
from moviehouse.sql import QUESTIONS


def flaws(folder: Path) -> list[str]:
    """What is wrong with a release's directory; FileNotFoundError where part of it is not there."""
    run = json.loads((folder / "run.json").read_text())
    found = []
    if (run["run_id"], run["status"]) != (folder.name, "published"):
        found.append(f"run.json says {run['run_id']} {run['status']}")
    counts = [f"SELECT '{t.name}', count(*) FROM {t.name}" for t in TABLES]
    counts += [f"SELECT '{t.name}', count(*) FROM '{folder}/tables/{t.name}.parquet'" for t in TABLES]
    answers = [f"SELECT '{q}', count(*) FROM {q}" for q in QUESTIONS]
    answers += [f"SELECT '{q}', count(*) FROM '{folder}/answers/{q}.parquet'" for q in QUESTIONS]
    database = folder / "moviehouse.duckdb"
    database.stat()
    with duckdb.connect(str(database), read_only=True) as con:
        for table, rows in con.execute(" UNION ALL ".join(counts)).fetchall():
            if rows != run["rows"][table]:
                found.append(f"{table}: {rows} rows, not {run['rows'][table]}")
        asked = con.execute(" UNION ALL ".join(answers)).fetchall()
        ids = con.execute("SELECT DISTINCT run_id FROM error_log").fetchall()
    for question in QUESTIONS:
        with (folder / "answers" / f"{question}.csv").open(newline="") as file:
            asked.append((question, sum(1 for _ in csv.reader(file)) - 1))
        if len({rows for q, rows in asked if q == question}) != 1:
            found.append(f"{question}: {asked}")
    ids += [(json.loads(line)["run_id"],) for line in (folder / "errors.jsonl").read_text().splitlines()]
    if set(ids) - {(folder.name,)}:
        found.append(f"the log is of {set(ids)}")
    if not (folder / "schema.sql").read_text().endswith(";\n"):
        found.append("schema.sql is cut")
    return found


def current(out: Path) -> str | None:
    link = out / "current"
    return link.readlink().name if link.is_symlink() else None


def look(out: str | Path) -> dict[str, Any]:
    """What is in an output directory."""
    out = Path(out)
    names = {p.name for p in out.iterdir()} if out.exists() else set()
    now = current(out) if out.exists() else None
    digest = hashlib.sha256()
    if now:
        for path in sorted((out / "releases" / now).rglob("*")):
            digest.update(str(path.relative_to(out)).encode() + (path.read_bytes() if path.is_file() else b""))
    failed = out / "failed"
    return {
        "current": now,
        "flaws": flaws(out / "releases" / now) if now else [],
        "sha256": digest.hexdigest() if now else None,
        "hidden": sorted(n for n in names if n.startswith(".")),
        "releases": sorted(p.name for p in (out / "releases").iterdir()) if "releases" in names else [],
        "failed": {p.name: _log(p) for p in failed.iterdir()} if "failed" in names else {},
    }


def _log(folder: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in (folder / "errors.jsonl").read_text().splitlines()]
    steps = json.loads((folder / "run.json").read_text())["seconds"]
    return {"lines": len(lines), "last": lines[-1], "steps": [step for step in steps if step != "total"]}


def poll(out: Path) -> tuple[str | None, list[str]]:
    """Read what is current now, as a reader does that follows the link once: the run's id, and what is wrong."""
    now = current(out)
    if now is None:
        return None, []
    folder = out / "releases" / now
    try:
        return now, flaws(folder)
    except (OSError, duckdb.Error) as error:
        # Two releases may have come meanwhile: then this one is gone, whole, and the two are there.
        others = {p.name for p in (out / "releases").iterdir()} - {now}
        if folder.exists() or current(out) == now or len(others) < 2:
            return now, [f"{now}: {type(error).__name__}: {error}"]
        return now, []


def glance(out: Path) -> tuple[str | None, list[str]]:
    """Read single files by the links that people use: each is whole, whatever is published meanwhile."""
    if current(out) is None:
        return None, []
    try:
        run = json.loads((out / "run.json").read_text())
        log = [json.loads(line)["run_id"] for line in (out / "errors.jsonl").read_text().splitlines()]
    except (OSError, ValueError) as error:
        return None, [f"{type(error).__name__}: {error}"]
    return run["run_id"], [] if run["status"] == "published" and len(set(log)) <= 1 else [f"{run['run_id']}: mixed"]


def watch(out: Path) -> None:
    """Poll until standard input ends, in four threads; print what was seen."""
    end, seen = Event(), []

    def read(how: Any, pause: float) -> None:
        mine: list[str] = []
        told: list[str] = []
        polls = 0
        while not end.wait(pause):
            try:
                run_id, wrong = how(out)
            except Exception as error:
                run_id, wrong = None, [repr(error)]
            polls += 1
            told += wrong
            if run_id is None and mine and not wrong:
                told.append("there was no release for a moment")
            if run_id is not None and mine[-1:] != [run_id]:
                mine.append(run_id)
        seen.append({"polls": polls, "runs": mine, "wrong": told[:10], "reads": how.__name__})

    threads = [Thread(target=read, args=a) for a in ((poll, 0.3), (poll, 0.5), (glance, 0.01), (glance, 0.03))]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    end.set()
    for thread in threads:
        thread.join()
    print(json.dumps(seen))


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
