"""Text to syntax: the grammar, the parser, recovery from errors and the nodes of the syntax tree."""
