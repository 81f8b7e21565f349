"""Jobs that an analysis evaluates side by side, in processes that share what was loaded."""
