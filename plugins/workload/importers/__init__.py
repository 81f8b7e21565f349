"""Model descriptions from other formats."""
