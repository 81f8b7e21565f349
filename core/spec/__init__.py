"""Specs: the attrs declaration of the fields of a block, which parser, documentation and evaluation all read."""
