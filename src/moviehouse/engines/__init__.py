"""Engines: where SQL runs."""
