"""Values of the language: quantities, units, symbols, and arithmetic on them."""
