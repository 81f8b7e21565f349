"""The library: files that descriptions can use, and the definitions in them."""
