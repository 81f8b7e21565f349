"""Sessions that the tests of one process share: plugins and the library are read once."""

from __future__ import annotations

from functools import cache

from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session


@cache
def open_session() -> Session:
    """Return a session with all plugins that are installed."""
    return Session.open()


@cache
def built_in_session() -> Session:
    """Return a session with the built-in plugins, whatever else is installed."""
    return Session(Registry.built_in())
