"""The ways in which synthetic examples come into a dataset."""

REPLACE, APPEND, EXTEND = MODES = ("replace", "append", "extend")
EXPECTED, EXACT = SHARES = ("expected", "exact")
