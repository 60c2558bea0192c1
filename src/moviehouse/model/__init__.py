"""The declaration: source files, tables, and what a cell may be."""
