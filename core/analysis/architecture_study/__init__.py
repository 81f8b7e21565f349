"""The verb `study`: reads a folder, evaluates its systems side by side, and writes a page and tables."""
