"""What a block may hold, as plain data that the interpreter and the checks read."""
