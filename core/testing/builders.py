"""What tests of plugins are written with: specs, parts, operations, traffic and networks from short texts.

    part = make_part(MY_MEMORY, {"capacity": "16 GB", "bandwidth": "1 TB/s"}, count=5)
    usage = MY_MEMORY.serve(part, make_traffic("1 GB"))

Every array that a helper makes is read-only, so that a model which writes into its inputs fails. With
`pytest_plugins = ["accelscope.core.testing.builders"]` in a conftest, the fixture `accel` turns a text into a `Described`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_type_hints, overload

import attrs
import numpy as np

from accelscope.core.blocks.hardware import Link, Package, Switch
from accelscope.core.errors import UsageError
from accelscope.core.ir.hardware import (
    ComputeModel,
    Device,
    EnginePart,
    Fabric,
    InterconnectModel,
    MemoryModel,
    MemoryPart,
)
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Traffic, Usage
from accelscope.core.numeric.curve import BoundCurve
from accelscope.core.numeric.term import Array, Term, TraceNode, as_term, term
from accelscope.core.spec.declarations import FieldDeclaration
from accelscope.core.spec.spec import children_of, fields_of, free_entries_of, written_name
from accelscope.core.testing.fixtures import accel
from accelscope.dsl.values.units import built_in_unit_table
from accelscope.dsl.values.values import Origin

__all__ = [
    "accel",
    "iterate_terms",
    "make_device",
    "make_fabric",
    "make_op",
    "make_part",
    "make_spec",
    "make_traffic",
    "parse_term",
    "trace_terms",
]

TermLike = str | float | int | Array | Term
_NUMBER = re.compile(r"\s*([-+]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*(.*)")


def parse_term(value: TermLike, unit: str = "") -> Term:
    """Return a read-only term of `"16 GB"`, of a number or array in `unit`, or of a term.

    Raises:
        UsageError: a text does not start with a number.
    """
    if isinstance(value, Term):
        return _read_only(value)
    if not isinstance(value, str):
        return _read_only(term(value, unit))
    match = _NUMBER.fullmatch(value)
    if match is None:
        raise UsageError(f"`{value}` is no number with a unit, such as `16 GB`")
    return _read_only(term(float(match[1].replace("_", "")), match[2].strip()))


def make_spec(cls: type, sample: Mapping[str, Any]) -> Any:
    """Return an instance of a spec class with the values of a sample, named as in a description.

    A quantity is a text with its unit, a curve a mapping of such texts, a list a sequence, an inner block a mapping.

    Raises:
        UsageError: the sample has a field that the spec has not.
    """
    left = dict(sample)
    values: dict[str, Any] = {}
    for name, field in fields_of(cls).items():
        if written_name(name) in left and not _is_block(cls, written_name(name), left[written_name(name)]):
            values[name] = _value(left.pop(written_name(name)), field)
    for name, child in children_of(cls).items():
        if child.kind in left:
            values[name] = _child(cls, name, left.pop(child.kind))
    entries = free_entries_of(cls)
    if entries is not None:
        unit = entries[1].units[0] if entries[1].units else ""
        values[entries[0]] = {key: parse_term(left.pop(key), unit) for key in tuple(left)}
    if left:
        raise UsageError(f"{cls.__name__} has no field {', '.join(sorted(left))}")
    return cls(**values)


@overload
def make_part(
    model: MemoryModel,
    sample: Mapping[str, Any],
    *,
    name: str = ...,
    count: TermLike = ...,
    cores: TermLike = ...,
    clock: TermLike | None = ...,
    level: str = ...,
) -> MemoryPart[Any]: ...
@overload
def make_part(
    model: ComputeModel,
    sample: Mapping[str, Any],
    *,
    name: str = ...,
    count: TermLike = ...,
    cores: TermLike = ...,
    clock: TermLike | None = ...,
    level: str = ...,
) -> EnginePart[Any]: ...
def make_part(
    model: MemoryModel | ComputeModel,
    sample: Mapping[str, Any],
    *,
    name: str = "part",
    count: TermLike = 1.0,
    cores: TermLike = 1.0,
    clock: TermLike | None = "1 GHz",
    level: str = "package",
) -> EnginePart[Any] | MemoryPart[Any]:
    """Return a part that a memory or compute model can be asked about."""
    place = {
        "name": name,
        "path": name,
        "spec": make_spec(model.spec, sample),
        "count": parse_term(count),
        "cores": parse_term(cores),
        "clock": None if clock is None else parse_term(clock, "Hz"),
        "level": level,
    }
    if isinstance(model, MemoryModel):
        return MemoryPart(model=model, **place)
    return EnginePart(model=model, **place)


def make_op(
    kind: str = "gemm",
    *,
    m: TermLike = 64.0,
    n: TermLike = 4096.0,
    k: TermLike = 4096.0,
    groups: TermLike = 1.0,
    dtype: str = "bf16",
    name: str = "op",
) -> Op:
    """Return an operation with the flops and bytes of its shape, at 2 B an element; attention has no mask."""
    rows, columns, inner, times = (parse_term(value) for value in (m, n, k, groups))
    elements = rows * columns * times
    operations = {"gemm": 2.0, "grouped_gemm": 2.0, "attention": 4.0}.get(kind)
    flops = (elements * inner * operations if operations else elements * 1.0) * term(1.0, "op")
    in_bytes = term(2.0, "B")
    weights = (
        inner * columns * times * in_bytes if kind in ("gemm", "grouped_gemm") else elements * 0.0 * in_bytes
    )
    kv = inner * columns * times * in_bytes * (2.0 if kind == "attention" else 0.0)
    return Op(
        name=name,
        component="test",
        kind=kind,
        dtype=dtype,
        flops=_read_only(flops),
        weights=_read_only(weights),
        kv_read=_read_only(kv),
        reads=_read_only(rows * inner * times * in_bytes),
        writes=_read_only(elements * in_bytes),
        m=rows,
        n=columns,
        k=inner,
        groups=times,
    )


def make_traffic(
    weights: TermLike = "1 MB",
    *,
    activations: TermLike = "0 B",
    kv: TermLike = "0 B",
    footprint: TermLike = "1 TB",
    home: bool = False,
    op: Op | None = None,
) -> Traffic:
    """Return traffic at one level of memory; by default only weights, used again long after."""
    given = make_op() if op is None else op
    return Traffic(
        weights=parse_term(weights, "B"),
        activations=parse_term(activations, "B"),
        kv=parse_term(kv, "B"),
        footprint=parse_term(footprint, "B"),
        op=given,
        home=home,
    )


def make_fabric(
    pattern: str,
    link: Mapping[str, Any],
    *,
    links: TermLike = 1.0,
    size: TermLike = 8.0,
    shape: Sequence[TermLike] = (),
    switch: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    model: InterconnectModel | None = None,
) -> Fabric:
    """Return one tier of a network.

    Args:
        pattern: connection pattern, such as `torus`.
        link: fields of the link, as in a description.
        links: links of one endpoint into the tier.
        size: endpoints of one group.
        shape: sizes along the dimensions of a mesh or torus.
        switch: fields of the switch, or None without one.
        settings: further fields of the `connect` block.
        model: what serves the pattern; without it only a model's own `transfer` can be asked, not the core.
    """
    return Fabric(
        name="fabric",
        pattern=pattern,
        model=model or _unserved(pattern),
        link=make_spec(Link, link),
        links=parse_term(links),
        size=parse_term(size),
        shape=tuple(parse_term(item) for item in shape),
        switch=None if switch is None else make_spec(Switch, switch),
        settings={
            key: parse_term(item) if isinstance(item, str) and _NUMBER.fullmatch(item) else item
            for key, item in (settings or {}).items()
        },
    )


def _unserved(pattern: str) -> InterconnectModel:
    def refuse(fabric: Fabric, collective: Collective) -> Usage:
        raise UsageError(f"no model serves `{pattern}` here; pass `model=` to make_fabric")

    return InterconnectModel(name="unserved", doc="serves nothing", patterns=(pattern,), transfer=refuse)


def make_device(engines: Sequence[EnginePart[Any]] = (), memories: Sequence[MemoryPart[Any]] = ()) -> Device:
    """Return a device of some parts in an otherwise empty package."""
    return Device(
        name="device", engines=tuple(engines), memories=tuple(memories), package=make_spec(Package, {})
    )


def trace_terms(value: Any) -> Any:
    """Return a record with every term made to keep how results are computed from it, as `explain` does."""
    if isinstance(value, Term):
        origin = Origin(span=None, how="default", text="test")
        scalar = float(value.value.flat[0])
        return Term(
            value.value, value.dimension, TraceNode("value", scalar, value.dimension, None, (), origin)
        )
    if attrs.has(type(value)) and not isinstance(value, BoundCurve):
        names = [item.name for item in attrs.fields(type(value)) if item.init]
        return attrs.evolve(value, **{name.lstrip("_"): trace_terms(getattr(value, name)) for name in names})
    if isinstance(value, Mapping):
        return {key: trace_terms(item) for key, item in value.items()}
    return tuple(trace_terms(item) for item in value) if isinstance(value, tuple) else value


def iterate_terms(value: Any, path: str = "") -> Iterator[tuple[str, Term]]:
    """Yield every term inside a record, with its dotted place."""
    if isinstance(value, Term):
        yield path, value
    elif attrs.has(type(value)):
        for item in attrs.fields(type(value)):
            yield from iterate_terms(getattr(value, item.name), f"{path}.{item.name}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from iterate_terms(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from iterate_terms(item, f"{path}[{index}]")


def double_each_rate(spec: Any) -> Iterator[tuple[str, Any]]:
    """Yield the place of each rate of a spec (anything a second or a cycle) with the spec that has twice of it."""
    for path, value in iterate_terms(spec):
        powers = dict(value.dimension.powers)
        if (powers.get("s", 0) < 0 or powers.get("cycle", 0) < 0) and "[" not in path:
            yield path, _doubled(spec, path.split("."), value)


def _doubled(spec: Any, path: Sequence[str], value: Term) -> Any:
    if not path:
        return value * 2.0
    if isinstance(spec, Mapping):
        return {**spec, path[0]: _doubled(spec[path[0]], path[1:], value)}
    return attrs.evolve(spec, **{path[0]: _doubled(getattr(spec, path[0]), path[1:], value)})


def _read_only(value: Term) -> Term:
    array = np.array(value.value, dtype=float)
    array.setflags(write=False)
    return Term(array, value.dimension, value.node)


def _is_block(cls: type, written: str, value: Any) -> bool:
    return isinstance(value, Mapping) and any(child.kind == written for child in children_of(cls).values())


def _value(value: Any, field: FieldDeclaration) -> Any:
    if field.type == "quantity":
        return _curve(value, field) if isinstance(value, Mapping) else parse_term(value, field.units[0])
    if field.type == "list":
        return tuple(parse_term(item) if field.units else item for item in value)
    return value


def _curve(points: Mapping[str, TermLike], field: FieldDeclaration) -> BoundCurve:
    keys = [parse_term(key) for key in points]
    values = [parse_term(item) for item in points.values()]
    key_dimension = built_in_unit_table().parse(field.over)[1] if field.over else keys[0].dimension
    return BoundCurve(
        np.array([float(key.value) for key in keys]),
        np.array([float(item.value) for item in values]),
        key_dimension,
        as_term(values[0]).dimension,
    )


def _child(cls: type, name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    hint = get_type_hints(cls)[name]
    classes = [
        item for item in (hint, *get_args(hint)) if isinstance(item, type) and hasattr(item, "__accel__")
    ]
    if not classes:
        raise UsageError(f"give `{name}` of {cls.__name__} as an instance: its annotation names no spec")
    return make_spec(classes[0], value)
