"""What `compare` does: which systems, which split of each, the text of the question, and rows of results."""
