"""Plugins: hooks, the records that they yield, and the registry that loads, names and checks them."""
