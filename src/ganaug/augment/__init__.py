"""What mixes: a frozen generator and the transformation of datasets."""
