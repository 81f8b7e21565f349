"""The built-in verbs of the command line, one module each, imported only when a verb runs."""
