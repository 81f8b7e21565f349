"""Zero and one as terms, in the dimensions that the vocabulary uses."""

from __future__ import annotations

from accelscope.core.numeric.term import term

ONE = term(1.0)

NOTHING = term(0.0)

NO_BYTES = term(0.0, "B")

NO_OPS = term(0.0, "op")

NO_TIME = term(0.0, "s")
