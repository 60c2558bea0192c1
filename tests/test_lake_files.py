"""What a lake on S3 costs in requests: small files take one each, and its tables share a client."""

from __future__ import annotations

import secrets

import pyarrow as pa
import pytest
from conftest import rest_lake

from moviehouse.lake.append import add_files, write_rows
from moviehouse.lake.catalog import open_lake
from moviehouse.lake.files import Files
from moviehouse.lake.ledger import Ledger
from moviehouse.lake.tables import row_table


@pytest.fixture
def opened(s3, monkeypatch):
    lake = open_lake(rest_lake(s3, monkeypatch), create=True)
    Ledger(lake, create=True)
    return lake


def credits_(rows: int, table) -> pa.Table:
    """Rows of one column that does not compress; the others are NULL."""
    names = table.schema().as_arrow().names
    texts = pa.array([secrets.token_hex(400) for _ in range(rows)])
    return pa.table({name: texts if name == "tagline" else pa.nulls(rows, pa.string()) for name in names}).cast(
        table.schema().as_arrow()
    )


def in_parts(s3, lake) -> dict[str, bool]:
    """Of each object of the lake whether it was uploaded in parts, which its ETag shows."""
    bucket = lake.catalog.properties["warehouse"].removeprefix("s3://")
    pages = s3.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: "-" in item["ETag"] for page in pages for item in page.get("Contents", [])}


def test_a_small_file_is_one_request_and_a_large_one_is_uploaded_in_parts(s3, opened):
    table = row_table(opened, "movie")
    add_files(opened, table, write_rows(credits_(3, table), table))
    small = in_parts(s3, opened)
    assert any(key.endswith(".parquet") for key in small)
    assert not any(small.values())
    large = credits_(30_000, table)
    add_files(opened, table, write_rows(large, table))
    assert [key.endswith(".parquet") for key, parts in in_parts(s3, opened).items() if parts] == [True]
    read = table.refresh().scan(selected_fields=("tagline",)).to_arrow()
    assert read.num_rows == 30_003
    assert set(large["tagline"].to_pylist()) < set(read["tagline"].to_pylist())


def test_tables_share_a_client_but_not_with_other_credentials(opened):
    one, other = (row_table(opened, name).io for name in ("movie", "genre"))
    assert isinstance(one, Files)
    bucket = opened.catalog.properties["warehouse"].removeprefix("s3://")
    assert one.fs_by_scheme("s3", bucket) is other.fs_by_scheme("s3", bucket)
    stranger = Files({**one.properties, "s3.access-key-id": "another"})
    assert stranger.fs_by_scheme("s3", bucket) is not one.fs_by_scheme("s3", bucket)


def test_a_file_io_that_is_configured_is_kept(s3, monkeypatch):
    name = rest_lake(s3, monkeypatch)
    monkeypatch.setenv(f"PYICEBERG_CATALOG__{name.upper()}__PY_IO_IMPL", "pyiceberg.io.pyarrow.PyArrowFileIO")
    lake = open_lake(name, create=True)
    Ledger(lake, create=True)
    assert type(row_table(lake, "movie").io).__name__ == "PyArrowFileIO"
