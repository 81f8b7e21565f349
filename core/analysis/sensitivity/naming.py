"""What a parameter is called: the path that `--set` takes, where one leads to it, and where its value is written."""

from __future__ import annotations

from attrs import frozen

from accelscope.core.analysis.sensitivity.parameters import ParameterReading, list_enclosing_blocks
from accelscope.dsl.diagnostics.diagnostics import SourceText, Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.override.path_resolution import resolve_path
from accelscope.dsl.values.units import Dimension
from accelscope.dsl.values.values import Attribute

_NOWHERE = Span(SourceText("", ""), 0, 0)


@frozen(kw_only=True)
class SensitivityParameter:
    """One number of the description.

    Attributes:
        path: what it is called, and what `--set` takes where it is `settable`.
        block: path of the block that it stands in.
        value: value in base units; of a curve its largest.
        dimension: dimension of the value.
        source: file, line and column, or where a default comes from.
        sort: `given` by a text, `default` of a model, or `fitted` to measurements.
    """

    path: str
    block: str
    value: float
    dimension: Dimension
    source: str
    settable: bool
    sort: str


def find_scenario_system(scenario: Component) -> Component | None:
    """Return the system that a scenario runs on."""
    at = scenario
    for name in ("deployment", "system"):
        found = at.get(name)
        value = found.value if isinstance(found, Attribute) else found
        if not isinstance(value, Component):
            return None
        at = value
    return at


def format_parameter_path(item: ParameterReading, system: Component | None) -> str:
    """Return the names from below the system, or from a definition such as a link, down to a parameter."""
    return ".".join((*_names(item, system), item.name))


def build_parameter_record(item: ParameterReading, scenario: Component) -> SensitivityParameter:
    """Return the record of a parameter."""
    system = find_scenario_system(scenario)
    block = _names(item, system)
    return SensitivityParameter(
        path=format_parameter_path(item, system),
        block=".".join(block),
        value=item.value,
        dimension=item.dimension,
        source=f"default: {item.source}" if item.source else str(item.span or ""),
        settable=item.owner is not None and _settable(scenario, (*block, item.name)),
        sort="fitted" if not item.hardware else "default" if item.source else "given",
    )


def _names(item: ParameterReading, system: Component | None) -> tuple[str, ...]:
    return item.block if item.owner is None else _block(item.owner, system)


def _block(owner: Component, system: Component | None) -> tuple[str, ...]:
    """Return the names of a block and those around it; what a `connect` says is called after its link."""
    if owner.kind == "connect" and owner.parent is not None:
        vias = [item.via for item in evaluate_connections(owner.parent) if item.settings is owner]
        name = vias[0].name if vias and vias[0] is not None else owner.parent.name
        return ("connect", name)
    chain = list_enclosing_blocks(owner)
    if system is not None and (chain[0].name, chain[0].kind) == (system.name, system.kind):
        chain = chain[1:]
    return tuple(item.name for item in chain)


def _settable(scenario: Component, path: tuple[str, ...]) -> bool:
    if any("[" in name for name in path):
        return False
    try:
        resolve_path(scenario, path, (_NOWHERE,) * len(path))
    except (EvaluationFailed, PoisonedValue):
        return False
    return True
