"""Limits of a text: its size, its nesting, and the errors after which it is not read further."""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Largest text in bytes; real descriptions have a hundredth of it, and large data belongs in tables."""

MAX_TERMINALS: Final = 200_000
"""Most tokens of a text: more take seconds to parse, even if each is one character."""

MAX_BRACKETS: Final = 100
"""Deepest nesting of `{`, `[` and `(`."""

MAX_DEPTH: Final = 250
"""Deepest syntax tree, in nodes: code that reads the tree may use recursion."""

MAX_STACK: Final = 5_000
"""Largest stack of the parser: limits chains such as `- - - x`."""

MAX_DIAGNOSTICS: Final = 100
"""Errors of one text after which the rest is not read, and diagnostics of one check that are shown."""

MAX_REPAIRS: Final = 8
"""Missing closing braces of one text that the parser adds."""
