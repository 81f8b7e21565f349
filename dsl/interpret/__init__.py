"""Syntax to values: modules, scopes, expressions, inheritance, lists, functions and sweep axes."""
