"""Verbs of the command line as "module:attribute", imported only when one of them runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import define, field, frozen

from accelscope.core.errors import PluginConflictError, PluginError


@frozen
class CommandEntry:
    """A verb: where its click command is, and one line of help that needs no import.

    Attributes:
        target: "module:attribute" of a `click.Command`.
    """

    name: str
    target: str
    help: str


@define(eq=False)
class Commands:
    """The verbs that there are; plugins add theirs in `accelscope_commands`."""

    _verbs: dict[str, CommandEntry] = field(factory=dict)

    @property
    def verbs(self) -> Mapping[str, CommandEntry]:
        """All verbs by name."""
        return MappingProxyType(self._verbs)

    def add(self, name: str, target: str, help: str) -> None:
        """Add a verb.

        Args:
            name: as typed on the command line.
            target: "module:attribute" of a `click.Command`.
            help: one sentence for the overview.

        Raises:
            PluginConflictError: there is a verb of this name.
            PluginError: the target is not of the form "module:attribute".
        """
        module, _, attribute = target.partition(":")
        if not module or not attribute.isidentifier():
            raise PluginError(f"verb `{name}`: the target `{target}` is not of the form `module:attribute`")
        if name in self._verbs:
            raise PluginConflictError(f"verb `{name}` is there already, from `{self._verbs[name].target}`")
        self._verbs[name] = CommandEntry(name, target, help)


def list_built_in_commands() -> Commands:
    """Return the verbs that accelscope brings itself."""
    commands = Commands()
    for name, help_line in _OURS.items():
        commands.add(name, f"accelscope.core.cli.{name}:{name}", help_line)
    return commands


_OURS = {
    "check": "Say what is wrong with descriptions.",
    "fmt": "Lay descriptions out in the one canonical way.",
    "eval": "Evaluate the scenarios of a file.",
    "explain": "Show how a metric comes about, down to the lines of the files.",
    "sensitivity": "Say which numbers of the hardware a scenario depends on.",
    "compare": "Compare a model on several systems, or the scenarios of files.",
    "sweep": "Evaluate a study: every point of its sweeps.",
    "search": "Find the best points of a study, or the best deployments of a model.",
    "study": "Compare architectures as the files of a folder say: one page and tables.",
    "validate": "Compare predictions with published measurements.",
    "calibrate": "Fit parameters of kernels to published measurements.",
    "models": "List the models of the plugins, or the fields of one.",
    "plugins": "List the plugins and what each registers.",
    "library": "List, show or search the descriptions that plugins ship.",
}
