"""Kinds of block: which spec class reads which block, and the schemas that the language checks them with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from accelscope.core.blocks import calibration as kernels
from accelscope.core.blocks import hardware as structure
from accelscope.core.blocks import runtime, scenario, study, variability
from accelscope.core.errors import PluginConflictError
from accelscope.core.spec.spec import build_block_schema, children_of, read_spec_info
from accelscope.dsl.schema.schema import BlockSchema, FieldSchema, KindSchema
from accelscope.dsl.values.units import UnitTable

SHARED_KINDS: Mapping[str, str] = {
    "parallel": "How a model is divided over devices; each strategy adds its fields.",
    "connect": "Settings of a `connect` statement; each model of a network adds its fields.",
}
"""Kinds whose fields come from several specs at once."""


@frozen(eq=False)
class SpecCandidate:
    """A spec class, the name of the model that it belongs to, its record (None for the core's own), and who says so."""

    spec: type
    model: str
    record: Any
    plugin: str

    @property
    def kind(self) -> str:
        """The kind of block that the spec is for."""
        return read_spec_info(self.spec).kind

    @property
    def selector(self) -> str | None:
        """The field whose value selects the spec, if any."""
        return next(iter(read_spec_info(self.spec).select), None)

    @property
    def selecting_values(self) -> tuple[str, ...]:
        """The values of the selector that select the spec."""
        return tuple(next(iter(read_spec_info(self.spec).select.values()), ()))


@frozen(eq=False)
class BlockKinds:
    """All specs by kind, and the schemas made of them."""

    candidates: Mapping[str, tuple[SpecCandidate, ...]]
    schemas: Mapping[str, KindSchema]
    _defaults: Mapping[str, SpecCandidate] = field(repr=False)

    @classmethod
    def of(cls, plugins: Iterable[SpecCandidate], units: UnitTable) -> BlockKinds:
        """Combine the core's own kinds with those of plugins.

        Raises:
            PluginConflictError: two specs read the same block.
        """
        own = [
            SpecCandidate(spec, read_spec_info(spec).kind, None, "core")
            for spec in structure.HARDWARE_BLOCKS
            + scenario.SCENARIO_BLOCKS
            + kernels.CALIBRATION_BLOCKS
            + runtime.RUNTIME_BLOCKS
            + variability.VARIABILITY_KINDS
            + study.STUDY_KINDS
        ]
        by_kind: dict[str, tuple[SpecCandidate, ...]] = {}
        for item in (*own, *plugins):
            by_kind[item.kind] = (*by_kind.get(item.kind, ()), item)
        defaults = {
            kind: found for kind, items in by_kind.items() if (found := _default(kind, items)) is not None
        }
        schemas = {
            kind: _kind_schema(kind, items, defaults.get(kind), units) for kind, items in by_kind.items()
        }
        return cls(by_kind, _with_children(by_kind, schemas), defaults)

    def spec_for(self, kind: str, parent_kind: str | None, selected: str | None) -> tuple[type, Any] | None:
        """Return the spec that reads a block and its record, or None."""
        dotted = f"{parent_kind}.{kind}"
        key = dotted if dotted in self.candidates else kind
        items = self.candidates.get(key, ())
        if key in SHARED_KINDS or not items:
            return None
        found: SpecCandidate | None = self._defaults.get(key)
        if selected is not None and any(item.selector for item in items):
            found = next((item for item in items if selected in item.selecting_values), None)
        return (found.spec, found.record) if found else None


def _default(kind: str, items: tuple[SpecCandidate, ...]) -> SpecCandidate | None:
    """Return the spec of blocks that do not give the selector, after checking that at most one claims them."""
    if kind in SHARED_KINDS:
        return None
    claims = [item for item in items if read_spec_info(item.spec).default or item.selector is None]
    if len(claims) > 1:
        raise PluginConflictError(
            f"two specs read a `{kind}` block that selects none: `{claims[0].model}` of {claims[0].plugin} and "
            f"`{claims[1].model}` of {claims[1].plugin}; one of them needs `select={{...}}, default=False`"
        )
    return claims[0] if claims else None


def _kind_schema(
    kind: str, items: tuple[SpecCandidate, ...], default: SpecCandidate | None, units: UnitTable
) -> KindSchema:
    schemas = {id(item): build_block_schema(item.spec, item.model, units) for item in items}
    if kind in SHARED_KINDS:
        return KindSchema(kind=kind, default=_merged(kind, items, tuple(schemas.values())))
    selector = _selector(kind, items)
    owners: dict[str, SpecCandidate] = {}
    for item in items:
        for value in item.selecting_values:
            other = owners.setdefault(value, item)
            if other is not item:
                raise PluginConflictError(
                    f"two models read a `{kind}` with `{selector} = {value}`: `{other.model}` of {other.plugin} and "
                    f"`{item.model}` of {item.plugin}; disable one of the plugins"
                )
    if selector is not None:
        schemas = {key: _with_selector(schema, selector, tuple(owners)) for key, schema in schemas.items()}
    return KindSchema(
        kind=kind,
        selector=selector,
        variants={value: schemas[id(item)] for value, item in owners.items()},
        default=schemas[id(default)] if default else None,
    )


def _selector(kind: str, items: tuple[SpecCandidate, ...]) -> str | None:
    names = sorted({item.selector for item in items if item.selector is not None})
    if len(names) > 1:
        raise PluginConflictError(f"specs of kind `{kind}` select by different fields: {', '.join(names)}")
    return names[0] if names else None


def _with_selector(schema: BlockSchema, selector: str, values: tuple[str, ...]) -> BlockSchema:
    """Return a schema that has the selecting field, which a spec need not declare itself."""
    if selector in schema.fields:
        return schema
    chosen = FieldSchema(name=selector, type="choice", doc="which model reads the block", choices=values)
    return evolve(schema, fields={selector: chosen, **schema.fields})


def _merged(kind: str, items: tuple[SpecCandidate, ...], schemas: tuple[BlockSchema, ...]) -> BlockSchema:
    fields: dict[str, FieldSchema] = {}
    owners: dict[str, SpecCandidate] = {}
    for item, schema in zip(items, schemas, strict=True):
        for name, declared in schema.fields.items():
            other = owners.setdefault(name, item)
            if other is not item and fields[name] != declared:
                raise PluginConflictError(
                    f"two plugins declare the field `{name}` of `{kind}` differently: `{other.model}` of "
                    f"{other.plugin} and `{item.model}` of {item.plugin}; disable one of them"
                )
            fields[name] = declared
    within = tuple(dict.fromkeys(place for schema in schemas for place in schema.within))
    return BlockSchema(kind=kind, model=kind, doc=SHARED_KINDS[kind], fields=fields, within=within)


def _with_children(
    by_kind: Mapping[str, tuple[SpecCandidate, ...]], schemas: Mapping[str, KindSchema]
) -> dict[str, KindSchema]:
    """Let an inner block stand in the kinds whose specs declare it, whatever its own spec says."""
    places: dict[str, dict[str, None]] = {}
    for kind, items in by_kind.items():
        for item in items:
            for child in children_of(item.spec).values():
                places.setdefault(child.kind, {})[kind.rpartition(".")[2]] = None
    return {kind: _placed(schema, tuple(places.get(kind, ()))) for kind, schema in schemas.items()}


def _placed(schema: KindSchema, places: tuple[str, ...]) -> KindSchema:
    if not places:
        return schema

    def wider(block: BlockSchema) -> BlockSchema:
        extra = () if "*" in block.within else tuple(place for place in places if place not in block.within)
        return evolve(block, within=(*block.within, *extra)) if extra else block

    return evolve(
        schema,
        variants={value: wider(block) for value, block in schema.variants.items()},
        default=wider(schema.default) if schema.default else None,
    )
