"""What the library modules define: names, kinds, documentation and resolved values."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.library.sources import CALIBRATION_FOLDER
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.values.units import UnknownUnit, built_in_unit_table, format_quantity
from accelscope.dsl.values.values import (
    Attribute,
    Constructor,
    CurveValue,
    Interval,
    ListValue,
    MapValue,
    Quantity,
    Symbol,
)

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace
    from accelscope.dsl.interpret.component import Component


@frozen(eq=False)
class LibraryDefinition:
    """A definition of a library module, or of a file: then `module` is empty."""

    module: str
    component: Component
    file: str = ""

    @property
    def name(self) -> str:
        """The full name, such as `std.nvidia.H100_SXM` or `acme.accel:A1`."""
        return f"{self.file}:{self.component.name}" if self.file else f"{self.module}.{self.component.name}"

    @property
    def doc(self) -> str:
        """The first line of its documentation."""
        return self.component.doc.strip().split("\n")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """What it can be asked for by, in lower case: full name, short name, aliases."""
        return (self.name.casefold(), self.component.name.casefold(), *_aliases(self))


def list_definitions(session: Workspace, module: str | None = None) -> Iterator[LibraryDefinition]:
    """Yield the definitions of one module or of all, but for shipped calibrations, which nobody asks for by name."""
    language = session.language()
    for name in session.library.modules():
        if module is None and f".{CALIBRATION_FOLDER}." in name:
            continue
        source = session.library.library(name)
        if source is not None and module in (None, name):
            yield from (
                LibraryDefinition(name, component)
                for component in load_program(source, language).definitions()
            )


def find_definitions(
    everything: Iterable[LibraryDefinition], name: str, kinds: Container[str] | None = None
) -> tuple[LibraryDefinition, ...]:
    """Return the definitions of a full name, or else of a short name, or else of an alias; case does not matter.

    A name in exactly the case of the text goes before others.

    Args:
        everything: definitions to search.
        name: full name, short name or alias.
        kinds: kinds of block that count; all by default.
    """
    fitting = [item for item in everything if kinds is None or item.component.kind in kinds]
    folded = name.casefold()
    ways: tuple[Callable[[LibraryDefinition], bool], ...] = (
        lambda item: item.name == name,
        lambda item: item.component.name == name,
        lambda item: item.name.casefold() == folded,
        lambda item: item.component.name.casefold() == folded,
        lambda item: folded in _aliases(item),
    )
    for way in ways:
        found = tuple(item for item in fitting if way(item))
        if found:
            return found
    return ()


def load_file_definition(
    session: Workspace, file: str, name: str, kinds: Container[str] | None = None, what: str = "definition"
) -> LibraryDefinition:
    """Return a definition of a file that has no errors.

    Args:
        session: session that reads the file.
        file: path of the file.
        name: name of the definition.
        kinds: kinds of block that count; all by default.
        what: what messages call them.

    Raises:
        DescriptionError: the file cannot be read or has errors.
        UsageError: it holds no definition of this name and kind.
    """
    definitions = session.checked(file).definitions()
    here = {item.name: item for item in definitions if kinds is None or item.kind in kinds}
    if name not in here:
        meant = did_you_mean(name, here) or f"there are {', '.join(here) or 'none'}"
        raise UsageError(f"`{file}` holds no {what} called `{name}`; {meant}")
    return LibraryDefinition(module="", component=here[name], file=file)


def list_resolved_values(component: Component, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yield the resolved values of a component and of the blocks in it: path, value, tolerance, source."""
    for name, attribute in component.attributes().items():
        yield {
            "path": prefix + name,
            "value": format_resolved_value(attribute.value),
            "tolerance": _tolerance(attribute.value),
            "source": "; ".join(cite.text for cite in attribute.origin.cites),
            "place": str(attribute.origin.span) if attribute.origin.span else "",
        }
    for child in component.children():
        count = format_resolved_value(child.count)
        label = child.name + (f"[{count}]" if count != "1" else "")
        yield from list_resolved_values(child, f"{prefix}{label}.")


def format_resolved_value(value: Any) -> str:
    """Return a value as a person writes it, in its own unit where it was written with one."""
    if isinstance(value, Quantity):
        return _quantity(value)
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, ListValue):
        return "[" + ", ".join(map(format_resolved_value, value.items)) + "]"
    if isinstance(value, CurveValue):
        return (
            "["
            + ", ".join(
                f"{format_resolved_value(key)} -> {format_resolved_value(item)}" for key, item in value.points
            )
            + "]"
        )
    if isinstance(value, MapValue):
        return (
            "{"
            + ", ".join(f"{key} = {format_resolved_value(item)}" for key, item in value.entries.items())
            + "}"
        )
    if isinstance(value, Interval):
        return f"{format_resolved_value(value.low)} .. {format_resolved_value(value.high)}"
    if isinstance(value, Constructor):
        return f"{value.name}({', '.join(map(format_resolved_value, value.args))})"
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return str(getattr(value, "name", value))


def _quantity(value: Quantity) -> str:
    if value.unit:
        try:
            scale, _ = built_in_unit_table().parse(value.unit)
        except UnknownUnit:
            scale = 0.0
        if scale:
            return f"{float(value.magnitude) / scale:.6g} {value.unit}"
    return format_quantity(float(value.magnitude), value.dimension, digits=6)


def _tolerance(value: Any) -> str:
    if not isinstance(value, Quantity) or value.tolerance is None:
        return ""
    if value.tolerance.half_width is not None and value.magnitude:
        return f"± {abs(float(value.tolerance.half_width) / float(value.magnitude)) * 100:.3g} %"
    return f"~ {value.tolerance.distribution}" if value.tolerance.distribution else ""


def _aliases(item: LibraryDefinition) -> tuple[str, ...]:
    attribute = item.component.get("aliases")
    if not isinstance(attribute, Attribute) or not isinstance(attribute.value, ListValue):
        return ()
    return tuple(format_resolved_value(alias).casefold() for alias in attribute.value.items)
