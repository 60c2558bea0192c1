"""The main job's steps on Spark: a cluster reads and conforms, and the release is finished on this machine.

What differs from the steps of `pipeline` is where the work is done, never what is done: the readers and
the SQL are the same. docs/decisions/0009-spark-engine.md says why it is cut this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeVar

from moviehouse.engines.dialect import columns_to_spark, order_of
from moviehouse.engines.duckdb import DuckDB
from moviehouse.engines.shared import Shared
from moviehouse.engines.spark import Spark, spark_session
from moviehouse.errors import MoviehouseError
from moviehouse.model.schema import Table
from moviehouse.model.sources import SOURCES
from moviehouse.model.tables import ERROR_LOG, REJECTED_RECORD, TABLES
from moviehouse.sql import QUESTIONS, VIEWS, statement
from moviehouse.sql.text import literal, name
from moviehouse.steps import balance, log
from moviehouse.steps.conform import RATINGS_WORK, SHORTCUTS, WORK, Text
from moviehouse.steps.fetch.address import Local, parse
from moviehouse.steps.member import Job, Read, Relations, Survey, read_file, reject_references, relations, survey

if TYPE_CHECKING:
    from moviehouse.pipeline import Run

# The order in which files that cannot be used are told of is that of the readers on one machine.
_READING = [s.name for s in sorted(SOURCES, key=lambda s: (not s.flat, s.flat and not s.suspects))]
_ORDERED = {ERROR_LOG.name: log.LOG_ORDER, REJECTED_RECORD.name: log.REJECTED_ORDER}

# So few rows to be left out of a table are named in its SELECT.
_FEW = 1000

Given = TypeVar("Given")


class Cluster:
    """A run on Spark under way: the steps of it are methods, which take the run as those of `pipeline` do.

    An application that is started for it has the `packages` (of Maven).
    """

    def __init__(self, run: Run, packages: Sequence[str] = ()) -> None:
        options = run.options
        given = options.spark_staging
        uri = f"{given.rstrip('/')}/{run.record.run_id}" if given else (run.work / "staged").absolute().as_uri()
        self.staging = Shared(uri)
        self.job = Job(
            _anywhere(run.source), self.staging, options.limits, options.sign, options.encoding,
            options.cache.absolute() if options.cache else None, options.engine_limit, options.threads or 1,
            whole=run.whole,
        )  # fmt: skip
        self._remote = bool(given)
        # Tables that are rows of what was read, in the order of their file: their SELECT from the relations that were.
        self._picked: dict[str, str] = {}
        self._read: dict[str, Shared] = {}
        self._packages = packages

    def start(self, run: Run) -> None:
        """Start Spark, which ends with the run."""
        if self._remote:
            run.closing.callback(self.staging.discard)
        self.staging.make()
        with run.progress.step("start Spark"):
            settings = dict(run.options.spark_conf)
            begun = spark_session(run.options.spark_master, settings, self._packages, self.staging.uri)
            self._ending = run.closing.enter_context(ExitStack())
            session = self._ending.enter_context(begun)
        self.spark = Spark(session, self.staging)
        run.record.versions["spark"] = session.version

    def fetch(self, run: Run) -> None:
        """Have an executor fetch the source and say what it holds."""
        with run.progress.step("fetch on the cluster"):
            self.survey: Survey = _given(self.spark.map(survey, [self.job]))[0]
        run.note_source(self.survey.fetched)
        self.job = replace(self.job, sha256=self.survey.fetched.sha256)
        if self.survey.refused is None:
            run.record.missing_files = [s.name for s in SOURCES if s.name not in self.survey.names]
        run.record.ignored_files = self.survey.unknown
        run.record.files = {file: {} for file in sorted(self.survey.names)}

    def read(self, run: Run) -> None:
        """Read every file on an executor, a task for each."""
        if self.survey.refused is not None:
            raise self.survey.refused
        assert self.survey.notes is not None
        with run.progress.step("read on the cluster"):
            reads = dict(zip(_READING, self.spark.map(partial(read_file, self.job), _READING), strict=True))
        done = {file: each for file, each in reads.items() if isinstance(each, Read)}
        self._notes = [self.survey.notes, *(each.staged for each in done.values() if each.about)]
        for file, each in done.items():
            if file in self.survey.names:
                run.record.files[file].update(each.about)
        refused = [each.refused if isinstance(each, Read) else each for each in reads.values()]
        if wrong := next((error for error in refused if error is not None), None):
            self._save_notes(run)
            raise wrong
        run.readings = [done[source.name].reading for source in SOURCES]
        for source in SOURCES:
            for relation in relations(source):
                self._relate(relation, [done[source.name].staged])
                self._read[relation] = done[source.name].staged.folder.at(relation)
        for relation in ("note", "reject"):
            self._relate(relation, self._notes)

    def make(self, run: Run) -> None:
        """Make the tables, the log and the balance where the relations are."""
        tables, text = run.layout.tables, run.layout.text
        with run.progress.step("conform on the cluster"):
            for steps in zip_longest(WORK, RATINGS_WORK, fillvalue=()):
                self.spark.create_works({r: text("conform", r) for relations_ in steps for r in relations_})
            self._pick(tables, text)
            self.spark.create_tables(
                {table: text("conform", table.name) for table in tables if table.name not in self._picked}
            )
        with run.progress.step("log"):
            log.gather(self.spark, run.record.run_id, self._reject_references, text)
            run.balances = balance.strike(self.spark, run.readings, places=run.layout.places)

    def _pick(self, tables: Sequence[Table], text: Text) -> None:
        """Make a table a view where few of the rows that were read are to be left out: they are named.

        A join of 26 million rows would send them all from executor to executor, and out of the order of their file;
        to write them once more would tell nothing new.
        """
        for table in tables:
            relation, whole, _ = SHORTCUTS.get(table.name, ("", "", ""))
            out = self.spark.rows(f"SELECT edition, line FROM {relation} LIMIT {_FEW + 1}") if relation else []
            if relation and len(out) <= _FEW:
                select = f"SELECT * FROM ({text('conform', whole)}) AS whole WHERE {_without(out)}"
                self.spark.create_table_view(table, select)
                self._picked[table.name] = select

    def conform(self, run: Run) -> None:
        """Make the tables, the log, the balance and the answers where the relations are."""
        self.make(run)
        with run.progress.step("answer on the cluster"):
            for view in VIEWS:
                self.spark.create_view(view, statement("views", view))
            for question in QUESTIONS:
                self.spark.create_view(question, statement("questions", question))
            self.spark.create_answers({question: f"SELECT * FROM {question}" for question in QUESTIONS})

    def finish(self, run: Run) -> None:
        """Have the release's database on this machine, and what its answers are read from; then end Spark.

        What is staged stays until the run ends: answers may be read where they are.
        """
        self.collect(run, TABLES)
        for question in QUESTIONS:
            order = order_of(statement("questions", question))
            files = self._files(run, self.staging.at("answers", question))
            run.answers[question] = f"SELECT * FROM {files} ORDER BY {order}"
        self._ending.close()

    def collect(self, run: Run, tables: Sequence[Table]) -> None:
        """Stream tables into the run's database, within DuckDB's memory limit.

        In the order of their keys, but for those that were picked from what was read, which keep the order of their
        file: sorting 26 million ratings takes longer than all else here.
        """
        options = run.options
        with run.progress.step("collect"):
            engine = DuckDB(run.database, run.work, memory_limit=options.engine_limit, threads=options.threads)
            run.engine = engine
            if any(table.name in self._picked for table in tables):
                for relation in (source.relation for source in SOURCES if source.suspects):
                    files = self._files(run, self._read[relation])
                    engine.con.execute(f"CREATE VIEW memory.main.{name(relation)} AS SELECT * FROM {files}")
            for table in tables:
                select = self._picked.get(table.name)
                if select is None:
                    files = self._files(run, self.staging.at("tables", table.name))
                    select = f"SELECT * FROM {files} ORDER BY {_order(table)}"
                engine.create_table(table, select)
            engine.close()
            run.engine = None

    def _reject_references(self) -> None:
        """Have the bytes of records that refer to no movie kept, by tasks beside the files."""
        counts = self.spark.rows("SELECT file, COUNT(*) FROM rejected_reference GROUP BY file ORDER BY file")
        if not counts:
            return
        references = self.staging.at("work", "rejected_reference")
        keep = partial(reject_references, self.job, references=references)
        kept = _given(self.spark.map(keep, [file for file, _ in counts]))
        self._relate("reject", [*self._notes, *kept])

    def _relate(self, relation: str, staged: Sequence[Relations]) -> None:
        """Name what tasks have staged under one name as one relation."""
        folders = [each.folder.at(relation) for each in staged]
        self.spark.relate(relation, folders, columns_to_spark(staged[0].columns[relation]))

    def _files(self, run: Run, place: Shared) -> str:
        """The Parquet files of a relation, on this machine, as SQL."""
        folder = place.path or run.work / "collected" / place.uri.removeprefix(self.staging.uri).strip("/")
        if not place.path:
            place.get(folder)
        return f"read_parquet({literal(str(folder / '*.parquet'))}, hive_partitioning = false)"

    def _save_notes(self, run: Run) -> None:
        """Have what was noted so far where the log of a failed run takes it from."""
        run.engine = DuckDB(run.database, run.work, memory_limit=run.options.engine_limit, threads=run.options.threads)
        for relation in ("note", "reject"):
            selects = []
            for i, each in enumerate(self._notes):
                here = each.folder.at(relation)
                local = here.path or run.work / "collected" / relation / str(i)
                if not here.path:
                    here.get(local)
                selects.append(f"SELECT * FROM read_parquet({literal(str(local / '*.parquet'))})")
            run.engine.con.execute(f"CREATE VIEW memory.main.{relation} AS {' UNION ALL '.join(selects)}")


def _given(answers: Sequence[Given | MoviehouseError]) -> list[Given]:
    """What tasks gave. Raises the first error that one answered with: raised there, Spark would try again."""
    for answer in answers:
        if isinstance(answer, MoviehouseError):
            raise answer
    return [answer for answer in answers if not isinstance(answer, MoviehouseError)]


def _without(lines: Sequence[tuple[str, int]]) -> str:
    """A condition that leaves out some lines, which are given by edition."""
    editions: dict[str, list[str]] = {}
    for edition, line in lines:
        editions.setdefault(edition, []).append(str(line))
    left = [
        f"NOT (edition = {literal(edition)} AND source_line IN ({', '.join(some)}))"
        for edition, some in sorted(editions.items())
    ]
    return " AND ".join(left) or "true"


def _anywhere(source: str) -> str:
    """A source as every machine can find it: a path that is not relative."""
    where = parse(source)
    return str(where.path.absolute()) if isinstance(where, Local) else source


def _order(table: Table) -> str:
    return _ORDERED.get(table.name) or ", ".join(name(column) for column in table.key)
