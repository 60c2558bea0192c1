"""Imported: a fold writes no run of earlier folds anew, however few rows it has."""

from moviehouse.lake import runs

runs.SHORT, runs.SHARE = 0, 0
