"""Plugins are found, attributed, isolated from each other, and refused where they conflict."""

from __future__ import annotations

import types

import pytest

from accelscope.core.errors import PluginConflictError, PluginError, UsageError
from accelscope.core.plugin.hookspecs import hookimpl
from accelscope.core.plugin.records import KindRecord, MemoryModel, Metric, Unit
from accelscope.core.plugin.registry import Registry
from accelscope.core.spec.spec import block, choice, quantity, spec

METRIC = "@hookimpl\ndef accelscope_metrics():\n    yield metric('{}')\n"


def plugin(**hooks):
    """Return a plugin object with hooks that return the given records."""
    made = types.SimpleNamespace(__name__="made")
    for name, records in hooks.items():

        def hook(records=records):
            return records

        setattr(made, f"accelscope_{name}", hookimpl(hook))
    return made


def metric(name, **more):
    return Metric(name=name, doc="a number", unit="s", compute=lambda evaluation: None, **more)


def memory(name, cls):
    return MemoryModel(name=name, doc="a memory", spec=cls, order=40, serve=print, capacity=print, peak=print)


def memory_spec(value, **options):
    @spec(kind="memory", select={"class": (value,)}, **options)
    class Made:
        """A memory of a test."""

        class_: str | None = choice(value, doc="sort", optional=True)
        capacity = quantity("B", doc="bytes", gt=0)

    return Made


def test_built_in_plugins_load_without_failures():
    registry = Registry.built_in()
    assert [str(item.error) for item in registry.failures] == []
    assert {"hbm", "dram"} & set(registry.schemas()["memory"].variants)


def test_plugins_are_sorted_by_distribution_and_name():
    plugins = Registry.load().plugins
    assert list(plugins) == sorted(plugins)


def test_a_record_knows_its_plugin(distribution):
    distribution("zz-carbon", "carbon", METRIC.format("carbon"), version="2.1")
    found = Registry.load().plugin_of("metric", "carbon")
    assert (found.distribution, found.name, found.version) == ("zz-carbon", "carbon", "2.1")


def test_a_plugin_that_does_not_import_leaves_the_others_alone(distribution):
    distribution("zz-broken", "broken", "raise RuntimeError('no licence')\n", version="3.2")
    registry = Registry.load()
    [failure] = registry.failures
    assert "`broken` of zz-broken 3.2" in str(failure.error)
    assert "RuntimeError: no licence" in str(failure.error)
    assert isinstance(failure.error.__cause__, RuntimeError)
    assert "tpot" in registry.metrics


def test_a_plugin_that_exits_on_import_is_a_failure(distribution):
    distribution("zz-exits", "exits", "raise SystemExit(3)\n")
    assert [item.plugin.name for item in Registry.load().failures] == ["exits"]


def test_an_exception_in_a_hook_names_the_plugin_and_keeps_the_rest(distribution):
    code = "@hookimpl\ndef accelscope_metrics():\n    yield metric('lost')\n    1 / 0\n"
    distribution(
        "zz-hook", "hook", code + "@hookimpl\ndef accelscope_units():\n    yield Unit('EUR', 1.1, 'USD')\n"
    )
    registry = Registry.load()
    [failure] = registry.failures
    assert "zz-hook" in str(failure.error)
    assert "accelscope_metrics" in str(failure.error)
    assert "ZeroDivisionError" in str(failure.error)
    assert "lost" not in registry.metrics
    assert registry.units.parse("EUR")[0] == 1.1


def test_a_misspelt_hook_names_plugin_and_hook_and_the_right_one(distribution):
    distribution("zz-typo", "typo", "@hookimpl\ndef accelscope_metric():\n    return []\n")
    with pytest.raises(
        PluginError, match=r"`typo` of zz-typo 1.0 .*`accelscope_metric`.*`accelscope_metrics`"
    ):
        Registry.load()


def test_a_hook_without_its_mark_is_refused(distribution):
    distribution("zz-bare", "bare", "def accelscope_metrics():\n    return []\n")
    with pytest.raises(PluginError, match="without @hookimpl"):
        Registry.load()


def test_a_hook_with_an_unknown_argument_is_a_failure(distribution):
    distribution("zz-args", "args", "@hookimpl\ndef accelscope_metrics(session):\n    return []\n")
    registry = Registry.load()
    assert [item.plugin.name for item in registry.failures] == ["args"]
    assert "tpot" in registry.metrics


def test_one_record_name_from_two_plugins_names_both_and_the_way_out(distribution):
    distribution("zz-one", "one", METRIC.format("carbon"))
    distribution("zz-two", "two", METRIC.format("carbon"))
    with pytest.raises(PluginConflictError) as caught:
        Registry.load().metrics
    for part in (
        "metric `carbon`",
        "`one` of zz-one",
        "`two` of zz-two",
        "--no-plugin two",
        "ACCELSCOPE_DISABLE=two",
    ):
        assert part in str(caught.value)


def test_one_plugin_name_from_two_distributions_is_refused(distribution):
    distribution("zz-one", "same", "")
    distribution("zz-two", "same", "")
    with pytest.raises(PluginConflictError, match=r"zz-one 1\.0 and zz-two 1\.0"):
        Registry.load()
    assert "same" in [item.name for item in Registry.load(disabled=["zz-two"]).plugins]


def test_a_plugin_can_be_disabled_by_argument_and_by_environment(distribution, monkeypatch):
    distribution("zz-carbon", "carbon", METRIC.format("carbon"))
    assert "carbon" in Registry.load().metrics
    assert "carbon" not in Registry.load(disabled=["carbon"]).metrics
    monkeypatch.setenv("ACCELSCOPE_DISABLE", "other, carbon")
    registry = Registry.load()
    assert "carbon" not in registry.metrics
    assert [item.name for item in registry.disabled_plugins] == ["carbon"]


def test_disabling_what_is_not_there_is_a_usage_error():
    with pytest.raises(UsageError, match="did you mean `memory`"):
        Registry.load(disabled=["memry"])


def test_a_record_of_another_family_is_a_failure():
    registry = Registry.of(plugin(metrics=[Unit("EUR")]))
    assert "instead of a Metric" in str(registry.failures[0].error)


def test_a_record_of_a_later_contract_is_a_failure():
    registry = Registry.of(plugin(metrics=[metric("future", contract=3)]))
    assert "contract 3" in str(registry.failures[0].error)
    assert "future" not in registry.metrics


def test_a_unit_that_is_taken_is_a_conflict():
    with pytest.raises(PluginConflictError, match="`USD`"):
        Registry.of(plugin(units=[Unit("USD")])).units


def test_the_selector_picks_the_spec():
    one, two = memory_spec("alpha"), memory_spec("beta", default=False)
    registry = Registry.of(plugin(memories=[memory("one", one), memory("two", two)]))
    assert registry.spec_for("memory", "package", "alpha")[0] is one
    assert registry.spec_for("memory", "package", "beta")[1].name == "two"
    assert registry.spec_for("memory", "package", None)[0] is one
    assert registry.spec_for("memory", "package", "gamma") is None


def test_two_specs_for_one_selector_value_conflict():
    records = [memory("one", memory_spec("alpha")), memory("two", memory_spec("alpha", default=False))]
    with pytest.raises(PluginConflictError, match="class = alpha"):
        Registry.of(plugin(memories=records)).schemas()


def test_two_specs_for_blocks_that_select_none_conflict():
    records = [memory("one", memory_spec("alpha")), memory("two", memory_spec("beta"))]
    with pytest.raises(PluginConflictError, match="default=False"):
        Registry.of(plugin(memories=records)).schemas()


def test_an_inner_block_may_stand_where_a_spec_declares_it():
    @spec(kind="bank", within=("nowhere",))
    class Bank:
        """A bank."""

    @spec(kind="memory", select={"class": ("banked",)})
    class Banked:
        """A memory of banks."""

        bank = block("bank", doc="one bank")

    registry = Registry.of(
        plugin(memories=[memory("banked", Banked)], kinds=[KindRecord(name="bank", doc="a bank", spec=Bank)])
    )
    assert registry.schemas()["bank"].within == ("nowhere", "memory")


def test_strategies_share_the_fields_of_the_parallel_block():
    registry = Registry.built_in()
    assert {"tp", "pp", "dp"} <= set(registry.schemas()["parallel"].all_fields())
    assert [item.order for item in registry.strategies] == sorted(item.order for item in registry.strategies)


def test_patterns_lead_to_their_model():
    assert "torus" in Registry.built_in().interconnect_for("torus").patterns


def test_only_two_modules_know_pluggy():
    import pathlib

    import accelscope.core.plugin.registry

    core = pathlib.Path(accelscope.core.plugin.registry.__file__).parent
    users = {path.name for path in core.rglob("*.py") if "import pluggy" in path.read_text()}
    assert users == {"registry.py", "hookspecs.py"}
