"""Imported: a fold keeps every older run unless the rows behind it outnumber its own, however few they are."""

from moviehouse.lake import runs

runs.SHORT, runs.SHARE = 0, 1
