"""Assembly: bound blocks to a design, with every model resolved and every unsupported combination refused."""
