"""The lake: drops of any order, merged into one state."""
