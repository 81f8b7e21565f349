"""Memory of arrays that are freed and needed again at once: kept in the process, where the C library can be told so.

A sweep makes and frees arrays of half a megabyte thousands of times a second. glibc gives blocks of that size back to the
system and asks for new ones, whose pages are then cleared one by one; that takes a third of the time of a sweep (see
docs/explanation/speed.md). What is computed does not depend on it.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

# Parameters of mallopt(3), from malloc.h of glibc.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
_LARGEST_HEAP_BLOCK = 32 * 2**20
"""Bytes of a block from which on it comes from the system: the most that mallopt takes on 64-bit machines."""
_RETAINED_BYTES = 128 * 2**20
"""Bytes that may lie free at the end of the heap."""


@cache
def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory for the next arrays; return whether it can be asked."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    asked = (
        (MMAP_THRESHOLD, _LARGEST_HEAP_BLOCK),
        (TRIM_THRESHOLD, _RETAINED_BYTES),
        (TOP_PAD, _LARGEST_HEAP_BLOCK),
    )
    answers = [mallopt(name, value) for name, value in asked]
    return all(answers)
