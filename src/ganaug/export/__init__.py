"""Data sets of synthetic images that other programs can read."""
