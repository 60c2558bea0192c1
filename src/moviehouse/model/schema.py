"""What a table is declared with: columns, references, the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of the model: `source` is the file and column it comes from, `unit` what it counts in.

    A text of a few `values` alone is stored as an enumeration where the engine has such a type.
    """

    name: str
    type: str
    description: str
    nullable: bool = True
    unit: str = ""
    source: str = ""
    check: str = ""
    values: tuple[str, ...] = ()

    @property
    def stored_type(self) -> str:
        """The type in DuckDB: 26 million rows of one text cost seconds as VARCHAR."""
        values = ", ".join(f"'{value}'" for value in self.values)
        return f"ENUM({values})" if values else self.type


@dataclass(frozen=True)
class Reference:
    """A foreign key: `column` holds a key of `table`."""

    column: str
    table: str


@dataclass(frozen=True)
class Table:
    """A table of the model. Rows are unique by `key`; `references` must resolve.

    `conformed` tables have a SELECT in sql/conform; the others are written by the run itself.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    conformed: bool = True

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a column is declared twice")
        for name in (*self.key, *(r.column for r in self.references)):
            if name not in names:
                raise ValueError(f"{self.name}: no column {name}")
        for name in self.key:
            if self.column(name).nullable:
                raise ValueError(f"{self.name}.{name}: a key column cannot be NULL")

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(c for c in self.columns if c.name == name)
