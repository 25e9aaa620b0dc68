"""Synthetic images: drawn live, selected, and kept in banks."""
