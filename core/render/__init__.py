"""Rendering: diagnostics, results, models and libraries as text, tables, pages and pictures. Pure."""
