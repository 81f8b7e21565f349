"""Overrides: `path = value` texts, what their paths reach, and the derived block they make."""
