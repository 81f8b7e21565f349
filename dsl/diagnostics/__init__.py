"""What is wrong with a text, as data: codes, findings, limits and suggestions."""
