"""Publishes a release to PostgreSQL: built beside the old one, swapped in one transaction.

address.py   the server: its address, the connection, and what its errors mean
ddl.py       the declaration in PostgreSQL's dialect
copy.py      rows from DuckDB into COPY
schema.py    what is in the schema already, and whether it may be replaced
swap.py      owners, privileges, dependent views, and the swap itself
publish.py   the steps in order

psycopg and sqlglot come with the extra `postgres`; nothing else of Moviehouse needs them.
"""
