"""Checks of a whole file: kinds, field values, duplicates, style and plausibility."""
