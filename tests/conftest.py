"""What all tests share: an environment of their own, and a real S3 server for those that ask for it."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fetching import Site, content
from postgres_server import PostgresServer
from postgres_server import serve as serve_postgres
from s3_server import S3Server, serve

import moviehouse

PG_VARIABLES = {
    *("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGOPTIONS"),
    *("PGSERVICEFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGREQUIRESSL", "PGCONNECT_TIMEOUT", "PGCLIENTENCODING"),
}


def first(values: Iterable[Any], count: int = 1) -> list[Any]:
    """Values of a parameter, or tuples of values, of which all but the first few take long together."""
    made = list(values)
    later = (value if isinstance(value, tuple) else (value,) for value in made[count:])
    return [*made[:count], *(pytest.param(*value, marks=pytest.mark.long) for value in later)]


def pytest_configure(config: pytest.Config) -> None:
    """Keep the developer's credentials and settings out, of subprocesses too; no proxy for the loopback."""
    for name in list(os.environ):
        if name == "MOVIEHOUSE_TEST_DATA":
            continue
        if name.startswith(("AWS_", "MOVIEHOUSE_", "PYICEBERG_")) or name in PG_VARIABLES:
            del os.environ[name]
    os.environ.pop("COLUMNS", None)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    empty = Path(tempfile.gettempdir()) / "moviehouse-tests-have-no-such-directory"
    os.environ["AWS_CONFIG_FILE"] = str(empty / "config")
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(empty / "credentials")
    os.environ["PYICEBERG_HOME"] = str(empty)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real S3 server, one for each test process, started when first asked for."""
    with serve() as server:
        yield server


@pytest.fixture(params=first(["directory", "rest"]))
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a lake that is not there yet: a directory, and a REST catalog over a real S3 server."""
    if request.param == "directory":
        return str(tmp_path / "lake")
    return rest_lake(request.getfixturevalue("s3"), monkeypatch)


def rest_lake(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Configure a REST catalog of its own; gives its name."""
    return configure(monkeypatch, s3.table_bucket)


def configure(monkeypatch: pytest.MonkeyPatch, properties: Callable[[str], dict[str, str]]) -> str:
    """Configure a catalog for this process and those that it starts; `properties` are by its name, which it gives."""
    name = f"lake{secrets.token_hex(4)}"
    for key, value in properties(name).items():
        variable = key.upper().replace(".", "__").replace("-", "_")
        monkeypatch.setenv(f"PYICEBERG_CATALOG__{name.upper()}__{variable}", value)
    return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL, one for each test process, started when first asked for."""
    with serve_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> list[moviehouse.Release]:
    """Two releases with rows in every table, that differ in every table."""
    folder = tmp_path_factory.mktemp("releases")
    made = []
    for seed, count in ((1, 300), (2, 400)):
        sample = moviehouse.sample(folder / f"{seed}.zip", movies=count, ratings=10 * count, seed=seed)
        made.append(moviehouse.build(sample.path, folder / f"out-{seed}", cache=folder / "cache"))
    return made


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEHOUSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(body: bytes | None = None, **options: Any) -> Site:
        made.append(Site(content() if body is None else body, **{"ranges": True, **options}))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()
        each.server_close()
