"""Exceptions for programmers' and plugins' mistakes; a user's mistake is a Diagnostic instead.

AccelscopeError
|-- DescriptionError     a text has errors: carries its diagnostics
|-- UsageError           a call of the command line or the API that makes no sense
|-- PluginError          names plugin and distribution
|   |-- PluginLoadError      an entry point that does not import
|   `-- PluginConflictError  two records of one family and name
|-- DimensionError       a model mixes dimensions
`-- ModelError           a model breaks its contract
"""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Diagnostic


class AccelscopeError(Exception):
    """Base of everything that accelscope raises on purpose."""


class DescriptionError(AccelscopeError):
    """A description has errors; `diagnostics` says which."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(
            f"{len(diagnostics)} findings; the first: {diagnostics[0].message}" if diagnostics else ""
        )
        self.diagnostics = diagnostics


class UsageError(AccelscopeError):
    """A request that makes no sense; the message says what would."""


class PluginError(AccelscopeError):
    """Something is wrong with a plugin, not with accelscope or a description.

    Attributes:
        plugin, distribution: that are at fault, where one is.
    """

    def __init__(self, message: str, *, plugin: str | None = None, distribution: str | None = None) -> None:
        super().__init__(message)
        self.plugin = plugin
        self.distribution = distribution


class PluginLoadError(PluginError):
    """An entry point does not import."""


class PluginConflictError(PluginError):
    """Two plugins yield a record of the same family and name."""


class DimensionError(AccelscopeError):
    """A model mixes dimensions, such as bytes and seconds."""


class ModelError(AccelscopeError):
    """A model breaks its contract."""
