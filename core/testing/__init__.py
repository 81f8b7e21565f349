"""Test kit for plugin authors: fixtures, builders and conformance classes."""
