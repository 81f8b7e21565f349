"""What people and machines are shown: diagnostics, results, models and libraries as text, tables and data. Pure."""
