"""What comes in: elements, value ranges, sources and splits."""
