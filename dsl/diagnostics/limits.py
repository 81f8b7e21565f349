"""How large, how deep and how wrong a text may be before the front end stops reading it."""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Largest text in bytes; real descriptions are a hundredth of it, and data goes into tables."""

MAX_TERMINALS: Final = 200_000
"""Most words, numbers and signs of a text: more take seconds to parse, also where each is one character."""

MAX_BRACKETS: Final = 100
"""Deepest nesting of `{`, `[` and `(`."""

MAX_DEPTH: Final = 250
"""Deepest syntax tree, counted in nodes: readers of the tree may use recursion."""

MAX_STACK: Final = 5_000
"""Most symbols that the parser keeps open at once: bounds chains such as `- - - x`."""

MAX_DIAGNOSTICS: Final = 100
"""Findings of one text after which the rest is left unread, and of one check after which it is left unsaid."""

MAX_REPAIRS: Final = 8
"""Missing closing braces that are put back in one text."""
