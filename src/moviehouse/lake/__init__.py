"""The lake: drops kept as readings in Iceberg tables, and the state that they add up to."""
