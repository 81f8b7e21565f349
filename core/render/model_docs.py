"""What the fields of models and kinds are, as plain data, for `accelscope models` and the reference pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accelscope.core.plugin.catalogue import RECORD_FAMILIES
from accelscope.core.render.document import Block, Paragraph
from accelscope.core.render.table import Column, make_table
from accelscope.core.spec.spec import build_block_schema, children_of, read_spec_info
from accelscope.dsl.schema.schema import BlockSchema, FieldSchema
from accelscope.dsl.values.units import UnitTable, format_quantity

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

ModelDoc = dict[str, Any]


def list_model_docs(registry: Registry) -> list[ModelDoc]:
    """Return family, name, doc and plugin of every record, then every kind of block."""
    found: list[ModelDoc] = [
        {"family": item.family, "name": item.name, "doc": _doc(item.record), "plugin": item.plugin.name}
        for family in RECORD_FAMILIES
        for item in registry.catalogue.registered_records.values()
        if item.family == family and family not in ("unit", "kind")
    ]
    for kind in registry.catalogue.kind_names():
        owners = registry.catalogue.candidates(kind)
        doc = _first(owners[0].spec.__doc__) if len(owners) == 1 else f"read by {len(owners)} models"
        found.append(
            {"family": "block", "name": kind, "doc": doc, "plugin": _owner(registry, owners[0].record)}
        )
    return found


def find_model_docs(registry: Registry, name: str) -> list[ModelDoc]:
    """Return every model and kind of a name with its fields; empty where there is none."""
    found = [
        _entry(
            registry,
            item.family,
            item.name,
            item.record,
            getattr(item.record, "spec", None),
            item.plugin.name,
        )
        for item in registry.catalogue.registered_records.values()
        if item.name == name and item.family != "unit"
    ]
    if found:
        return found
    return [
        _entry(registry, "block", item.model, item.record, item.spec, _owner(registry, item.record))
        for item in registry.catalogue.candidates(name)
    ]


_MODEL_COLUMNS = (
    Column("family"),
    Column("name"),
    Column("plugin", priority=1),
    Column("doc", title="WHAT IT IS", wraps=True),
)


def build_model_list_blocks(docs: Sequence[ModelDoc]) -> Iterator[Block]:
    """Yield how many models and kinds there are, and the table of them.

    Args:
        docs: of all models and kinds.
    """
    kinds = sum(item["family"] == "block" for item in docs)
    plugins = len({item["plugin"] for item in docs if item["family"] != "block"})
    yield f"{len(docs) - kinds} models of {plugins} plugins, and {kinds} kinds of block"
    yield make_table(
        _MODEL_COLUMNS, [[str(item[key]) for key in ("family", "name", "plugin", "doc")] for item in docs]
    )


def build_model_blocks(docs: Sequence[ModelDoc]) -> Iterator[Block]:
    """Yield what models or kinds of one name are, with their fields.

    Args:
        docs: with fields.
    """
    for item in docs:
        yield Paragraph("\n".join(_head_lines(item)), indent="  ")
        for field in item.get("fields", ()):
            yield Paragraph("\n".join(_field_lines(field)), indent="  ")
        for block in item.get("blocks", ()):
            head = f"  {block['kind']} {{ }}{' (several)' * block['many']}"
            yield Paragraph(f"{head}\n      {block['doc']}", indent="  ")


def _head_lines(item: ModelDoc) -> Iterator[str]:
    yield f"{item['family']} {item['name']}: {item['doc']}"
    yield f"  from plugin {item['plugin']}"
    for key, value in item.get("select", {}).items():
        yield f"  reads `{item['kind']}` blocks with {key} = {' | '.join(value)}"
    for key in ("unit", "better", "order", "patterns", "kinds", "within"):
        value = item.get(key)
        if value not in (None, "", [], ()):
            yield f"  {key}: {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}"


def _field_lines(field: Mapping[str, str]) -> Iterator[str]:
    facts = [field["type"], f"in {field['unit']}" if field["unit"] not in ("", "1") else "", field["bounds"]]
    default = field["default"]
    if default and default != "required":
        default = f"default {default}"
    yield f"  {field['name']}: " + ", ".join(filter(None, [*facts, default or "optional"]))
    yield f"      {field['doc']}"
    if field["source"]:
        yield f"      default from: {field['source']}"


def _document_field(field: FieldSchema, units: UnitTable) -> ModelDoc:
    """Return what a reader wants to know of a field, as text."""
    return {
        "name": field.name,
        "type": _type(field),
        "unit": " or ".join(unit or "1" for unit in field.units),
        "default": _default(field, units),
        "source": field.source or "",
        "bounds": ", ".join(_bounds(field, units)),
        "doc": field.doc + (" (not modelled yet)" if field.planned else ""),
    }


def _entry(
    registry: Registry, family: str, name: str, record: Any, spec: type | None, plugin: str
) -> ModelDoc:
    found: ModelDoc = {
        "family": family,
        "name": name,
        "plugin": plugin,
        "doc": _doc(record) if record else _first(spec.__doc__),
    }
    found |= {
        key: getattr(record, key)
        for key in ("unit", "better", "order", "patterns", "kinds")
        if hasattr(record, key)
    }
    if spec is None:
        return found
    schema = build_block_schema(spec, name, registry.units)
    found["kind"] = schema.kind
    found["select"] = {key: list(values) for key, values in read_spec_info(spec).select.items()}
    found["within"] = list(schema.within)
    found["fields"] = [_document_field(item, registry.units) for item in _fields(schema)]
    found["blocks"] = [
        {"kind": child.kind, "doc": child.doc, "many": child.many, "required": child.required}
        for child in children_of(spec).values()
    ]
    return found


def _fields(schema: BlockSchema) -> Iterator[FieldSchema]:
    yield from schema.fields.values()
    if schema.entries is not None:
        yield schema.entries


def _type(field: FieldSchema) -> str:
    if field.type == "choice" and field.choices:
        return " | ".join(field.choices)
    if field.type == "ref":
        return "reference to " + " or ".join(field.ref_kinds)
    if field.type == "constructor" and field.choices:
        return " | ".join(f"{name}(...)" for name in field.choices)
    if field.type == "quantity" and field.integer:
        return "whole number"
    return f"{field.type} or curve" if field.over is not None else field.type


def _default(field: FieldSchema, units: UnitTable) -> str:
    if field.required:
        return "required"
    if field.default is None:
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    if isinstance(field.default, (int, float)) and field.dimensions:
        return _in_unit(field.default, field, units)
    return str(field.default)


def _bounds(field: FieldSchema, units: UnitTable) -> Iterator[str]:
    if not field.dimensions:
        return
    for sign, limit in (("> ", field.gt), (">= ", field.ge), ("< ", field.lt), ("<= ", field.le)):
        if limit is not None:
            yield sign + _in_unit(limit, field, units)
    if field.plausible is not None:
        low, high = (_in_unit(limit, field, units) for limit in field.plausible)
        yield f"usually {low} to {high}"


def _in_unit(value: float, field: FieldSchema, units: UnitTable) -> str:
    """Return a value in base units as people write it, in the field's own unit where that is no base unit."""
    unit = field.units[0]
    scale = units.parse(unit)[0]
    if value == 0:
        return "0"
    return format_quantity(value, field.dimensions[0]) if scale == 1.0 else f"{value / scale:g} {unit}"


def _doc(record: Any) -> str:
    return str(getattr(record, "doc", ""))


def _first(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def _owner(registry: Registry, record: Any) -> str:
    for item in registry.catalogue.registered_records.values():
        if record is not None and item.record is record:
            return item.plugin.name
    return "core"
