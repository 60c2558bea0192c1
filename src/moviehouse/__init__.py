"""Moviehouse: a zip of messy CSV files about movies becomes a relational model that answers questions."""

__version__ = "0.1.0"
