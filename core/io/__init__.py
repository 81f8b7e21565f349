"""Reading files and writing output, atomically and with errors that name the file."""
