"""A small set of schemas, written by hand, so that the tests of the language need no plugin."""

from __future__ import annotations

from accelscope.dsl.schema.schema import BlockSchema, FieldSchema, KindSchema
from accelscope.dsl.values.units import DIMENSIONLESS, built_in_unit_table

PARTS = ("file", "cluster", "node", "package", "die", "core")


def quantity(name, *units, over=None, **more):
    dimensions = tuple(built_in_unit_table().parse(unit)[1] for unit in units)
    key = built_in_unit_table().parse(over)[1] if over else None
    return FieldSchema(
        name=name, type="quantity", doc=f"{name}.", units=units, dimensions=dimensions, over=key, **more
    )


def field(name, type, **more):
    return FieldSchema(name=name, type=type, doc=f"{name}.", **more)


def block(kind, *fields, within=("*",), entries=None, model=None, aliases=()):
    return BlockSchema(
        kind=kind,
        model=model or kind,
        doc=f"A {kind}.",
        fields={item.name: item for item in fields},
        within=within,
        entries=entries,
        aliases=aliases,
    )


def one(kind, *fields, **more):
    return KindSchema(kind=kind, default=block(kind.rpartition(".")[2], *fields, **more))


_SRAM = block(
    "memory",
    field("class", "choice", choices=("cache", "scratchpad")),
    quantity("capacity", "B", gt=0),
    quantity("bandwidth", "B/s", "B/cycle", gt=0),
    quantity("banks", "", integer=True, ge=1),
    model="sram",
)
_DRAM = block(
    "memory",
    field("class", "choice", choices=("hbm3", "hbm3e"), symbol_aliases={"hbm3_fast": "hbm3e"}),
    quantity("capacity", "B", gt=0),
    quantity("bandwidth", "B/s", gt=0, plausible=(1e9, 1.5e12)),
    quantity("efficiency", "", gt=0, le=1, over="B"),
    quantity("latency", "s", ge=0, aliases=("delay",)),
    quantity("energy", "J/b"),
    model="dram",
)

SCHEMAS = {
    schema.kind: schema
    for schema in (
        one("source", field("kind", "choice"), field("title", "text"), quantity("year", "", integer=True)),
        one(
            "link",
            quantity("bandwidth", "B/s/dir", gt=0),
            quantity("latency", "s", ge=0),
            within=PARTS,
        ),
        one("connect", quantity("links_per_source", "", integer=True)),
        one(
            "package",
            field("vendor", "text"),
            quantity("tdp", "W", gt=0, plausible=(5, 50_000)),
            field("grid", "list", units=("",), dimensions=(DIMENSIONLESS,)),
            field("aliases", "list"),
            field("released", "date"),
            field("liquid", "flag"),
            field("process", "ref", ref_kinds=("process",), text_too=True),
            quantity("clock", "Hz", gt=0),
            within=PARTS,
        ),
        one("process", field("foundry", "text"), within=("file",)),
        one("die", quantity("clock", "Hz"), quantity("area", "mm^2"), within=("file", "package")),
        one("core", quantity("clock", "Hz"), within=("file", "die")),
        one("node", within=PARTS),
        one("switch", quantity("radix", "", integer=True), quantity("latency", "s"), within=PARTS),
        one(
            "engine",
            field("kind", "choice", choices=("matrix", "vector")),
            field("sparsity", "constructor", choices=("structured",)),
            within=("core", "die"),
        ),
        one(
            "ops",
            within=("engine",),
            entries=quantity("*", "op/cycle", choices=("bf16", "fp8")),
            aliases=("rates",),
        ),
        KindSchema(
            kind="memory",
            selector="class",
            variants={"cache": _SRAM, "scratchpad": _SRAM, "hbm3": _DRAM, "hbm3e": _DRAM},
            default=_DRAM,
        ),
        one("model", quantity("layers", "", integer=True), within=("file",)),
        one(
            "workload", quantity("batch", "", integer=True, ge=1), quantity("prompt", "tok"), within=("file",)
        ),
        one(
            "parallel",
            quantity("tp", "", integer=True),
            quantity("pp", "", integer=True),
            within=("deployment",),
        ),
        one("deployment.memory", quantity("reserve", "B"), within=("deployment",)),
        one(
            "deployment",
            field("system", "ref", ref_kinds=("node", "package")),
            field("model", "ref", ref_kinds=("model",)),
            within=("file",),
        ),
        one(
            "scenario",
            field("deployment", "ref", ref_kinds=("deployment",)),
            field("workload", "ref", ref_kinds=("workload",)),
            quantity("seed", "", integer=True),
            within=("file",),
        ),
        one("study", field("base", "ref", ref_kinds=("scenario",)), within=("file",)),
    )
}
