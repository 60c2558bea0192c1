"""Opens a lake: a directory, the address of an Iceberg REST catalog, or a catalog configured for PyIceberg.

A directory has a catalog in SQLite, and the tables' files beside it. The properties of any other catalog
(credentials, warehouse, region) come from where PyIceberg looks for them: ~/.pyiceberg.yaml, or variables
PYICEBERG_CATALOG__NAME__PROPERTY. A REST address has the properties of the catalog named `moviehouse`, if any.
One property is ours: `moviehouse.namespace`, where the tables are to be in another namespace than `moviehouse`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moviehouse.errors import MoviehouseError, SourceError, TargetError, UsageError
from moviehouse.model.lake import NAMESPACE
from moviehouse.safe import shown

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

DATABASE = "catalog.db"
DATA = "data"
_ADDRESS_NAME = "moviehouse"
_BUSY_SECONDS = 60
_FILES = "moviehouse.lake.files.Files"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NAMESPACE = "moviehouse.namespace"
_NAMESPACES = re.compile(r"[a-z][a-z0-9_]*")  # what every catalog takes


@dataclass(frozen=True)
class Lake:
    """An open lake: its catalog, what it is called in messages, without secrets, and the namespace of its tables."""

    catalog: Catalog
    name: str

    @property
    def namespace(self) -> str:
        """The namespace of the lake's tables: a catalog may have several lakes, each in one of its own."""
        return str(self.catalog.properties.get(_NAMESPACE, NAMESPACE))

    def identifier(self, table: str) -> tuple[str, str]:
        """Where a table of the lake is in the catalog."""
        return (self.namespace, table)


def open_lake(address: str, *, create: bool = False) -> Lake:
    """Open the lake at an address; with `create` a directory is made where there is none.

    Raises UsageError where the address is none or the extra is missing, SourceError (TargetError with `create`)
    where the catalog cannot be used; its `retry` says whether trying again can help.
    """
    _need_pyiceberg()
    name = shown(address)
    with told(name, writing=create):
        if address.startswith(("http://", "https://")):
            return Lake(_configured(_ADDRESS_NAME, {"type": "rest", "uri": address}), name)
        if "://" in address:
            raise UsageError(
                f"{name} is no lake.",
                "Give a directory, the http(s) address of an Iceberg REST catalog, or the name of a catalog that is "
                "configured for PyIceberg (an S3 bucket needs a catalog before it).",
            )
        if _NAME.fullmatch(address) and _properties(address):
            return Lake(_configured(address, {}), name)
        return Lake(_directory(Path(address), create=create), name)


def _need_pyiceberg() -> None:
    try:
        import pyarrow  # noqa: F401
        import pyiceberg.catalog  # noqa: F401
    except ImportError as error:
        raise UsageError(f"A lake needs the extra `lake`: {error}.", "pip install 'moviehouse[lake]'") from None
    # That a commit is tried again is nobody's concern, unless the application listens.
    logging.getLogger("pyiceberg").addHandler(logging.NullHandler())


def _properties(name: str) -> dict[str, Any]:
    """What is configured for a catalog; the environment is read anew."""
    from pyiceberg.utils.config import Config

    return dict(Config().get_catalog_config(name) or {})


def _configured(name: str, properties: dict[str, Any]) -> Catalog:
    from pyiceberg.catalog import load_catalog

    found = {**_properties(name), **properties}
    namespace = str(found.get(_NAMESPACE, NAMESPACE))
    if not _NAMESPACES.fullmatch(namespace):
        raise UsageError(
            f"{_NAMESPACE} of the catalog {name} is {shown(namespace)!r}.",
            "Give it a letter from a to z, then any of a to z, 0 to 9 and _.",
        )
    if any(key.startswith("s3.") for key in found) or str(found.get("warehouse", "")).startswith("s3"):
        found.setdefault("py-io-impl", _FILES)
    return load_catalog(name, **found)


def _directory(path: Path, *, create: bool) -> Catalog:
    from pyiceberg.catalog.sql import SqlCatalog
    from sqlalchemy.exc import OperationalError

    path = path.absolute()
    if re.search(r"[?#%]", str(path)):
        raise UsageError(f"The path of a lake may not contain ?, # or %: {path}.", "Choose another --lake.")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, not a lake.", "Give the directory of one.")
    if not (path / DATABASE).exists():
        if not create:
            raise SourceError(
                f"There is no lake in {path}, and no catalog of that name is configured for PyIceberg.",
                f"Make one: moviehouse load SOURCE --lake {path}",
            )
        (path / DATA).mkdir(parents=True, exist_ok=True)
    properties = {
        "uri": f"sqlite:///{path / DATABASE}?timeout={_BUSY_SECONDS}",
        "warehouse": f"file://{path / DATA}",
    }
    try:
        return SqlCatalog(NAMESPACE, **properties)
    except OperationalError:  # two that make it at the same moment: one finds the other's tables
        return SqlCatalog(NAMESPACE, **properties)


@contextmanager
def told(name: str, *, writing: bool) -> Iterator[None]:
    """Turn what a catalog or its storage fails with into one sentence, which has no text of theirs: it may hold keys.

    Raises TargetError where the lake is written to, else SourceError.
    """
    try:
        yield
    except MoviehouseError:
        raise
    except Exception as error:
        found = _known(error, name)
        if found is None:
            raise
        message, hint, retry = found
        kind = TargetError if writing else SourceError
        raise kind(message, hint, retry=retry) from error


def _known(error: BaseException, name: str) -> tuple[str, str, bool] | None:
    """The message, the hint and whether a retry can help; None for what is not a catalog's doing."""
    import requests
    from botocore import exceptions as aws
    from pyiceberg import exceptions as ice
    from sqlalchemy.exc import DatabaseError

    kind, catalog = type(error).__name__, f"The catalog of the lake {name}"
    answers: tuple[tuple[tuple[type[BaseException], ...], str, str, bool], ...] = (
        (
            (ice.UnauthorizedError, ice.ForbiddenError, ice.AuthorizationExpiredError, ice.OAuthError, ice.SignError,
             aws.NoCredentialsError, aws.PartialCredentialsError),
            f"{catalog} does not let us in.",
            "Check the credentials that PyIceberg is configured with for this catalog, and what they may do.",
            False,
        ),
        (
            (ice.ServerError, ice.ServiceUnavailableError, ice.TooManyRequestsError, ice.CommitStateUnknownException),
            f"{catalog} failed ({kind}).",
            "See its log.",
            True,
        ),
        (
            (requests.RequestException, aws.EndpointConnectionError, aws.ConnectionError),
            f"{catalog} does not answer.",
            "Check the address, and that it runs.",
            True,
        ),
        (
            (ice.RESTError, aws.ClientError, ice.NoSuchNamespaceError),
            f"{catalog} refused a request ({kind}).",
            "Check the address and the properties of the catalog (its warehouse, for one).",
            False,
        ),
        (
            (ice.CommitFailedException,),
            f"Others kept changing the lake {name}.",
            "Run again when fewer write to it.",
            True,
        ),
    )  # fmt: skip
    for classes, message, hint, retry in answers:
        if isinstance(error, classes):
            return message, hint, retry
    if isinstance(error, DatabaseError):
        busy = "locked" in str(error.orig)
        hint = "Another process holds it." if busy else "Check that it may be written, and that its disk has room."
        return f"{catalog} cannot be used: {error.orig}.", hint, busy
    return _storage(error, name) if isinstance(error, OSError) else _configuration(error, name)


def _configuration(error: BaseException, name: str) -> tuple[str, str, bool] | None:
    if isinstance(error, ValueError) and "catalog" in str(error).lower():
        return f"The catalog {name} is not configured rightly.", "docs/lake.md has examples.", False
    return None


def _storage(error: OSError, name: str) -> tuple[str, str, bool]:
    storage = f"The storage of the lake {name}"
    if isinstance(error, (ConnectionError, TimeoutError)):
        return f"{storage} does not answer.", "Check that it runs.", True
    if isinstance(error, PermissionError) or "ACCESS_DENIED" in str(error):
        return f"{storage} does not let us in.", "Check who may read and write it.", False
    if isinstance(error, FileNotFoundError):
        return f"A file of the lake {name} is gone.", "If upkeep has just removed it, run again.", True
    if error.errno and error.strerror:
        return f"{storage} failed: {error.strerror}.", "Make room, or mend it.", True
    return f"{storage} failed.", "Check that it runs, and may be used.", True
