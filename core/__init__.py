"""Specs, hooks, assembly, evaluation, results and the command line. Imports the language, never a plugin."""
