"""Imported by a server of forks: its runs hold what they read in a file, however little it is."""

from moviehouse.engines import duckdb

duckdb._SPILLED = 0
