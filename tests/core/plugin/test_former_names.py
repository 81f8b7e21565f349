"""Former names that the shipped plugins declare: each stands for one present name, and none is in use."""

from __future__ import annotations

from accelscope.core.plugin.registry import Registry


def test_a_former_name_stands_for_one_field_and_is_no_field_itself():
    for kind, schema in Registry.built_in().schemas().items():
        present: dict[str, str] = {}
        fields = schema.all_fields()
        for block in schema.blocks():
            for field in block.fields.values():
                for alias in field.aliases:
                    assert alias not in fields, f"`{alias}` of `{kind}` is a field and a former name"
                    assert present.setdefault(alias, field.name) == field.name, f"`{alias}` of `{kind}`"


def test_a_former_symbol_stands_for_a_symbol_and_is_none_itself():
    for kind, schema in Registry.built_in().schemas().items():
        for name, field in schema.all_fields().items():
            for old, new in field.symbol_aliases.items():
                assert new in field.choices and old not in field.choices, f"`{old}` of `{kind}.{name}`"


def test_a_former_kind_is_no_kind_and_no_field_around_it():
    schemas = Registry.built_in().schemas()
    for kind, schema in schemas.items():
        for alias in schema.aliases:
            assert alias not in schemas, f"`{alias}` is a kind and a former name of `{kind}`"
            assert not any(
                alias in schemas[outer].all_fields() for outer in schema.within if outer in schemas
            )
