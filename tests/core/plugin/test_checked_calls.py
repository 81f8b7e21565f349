"""What a function of a plugin raises, or returns and should not, names plugin, distribution, model and function."""

from __future__ import annotations

import io
import math
import os
import sys

import attrs
import numpy as np
import pytest

from accelscope.core.errors import DimensionError, PluginError, UsageError
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.usage import Limit, Usage
from accelscope.core.numeric.term import Term, term
from accelscope.core.plugin.checked_calls import guard_record
from accelscope.core.plugin.hookspecs import hookimpl
from accelscope.core.plugin.identity import Plugin
from accelscope.core.plugin.records import Check, MemoryModel, Metric, Report, Strategy
from accelscope.core.plugin.registry import Registry
from accelscope.plugins.memory.dram import DRAM
from tests.support.paths import MAIN_JOB

JOB = MAIN_JOB
PFLASH = Plugin("pf", "pflash", "1.0")
SERVE = r"^plugin `pflash` \(pf 1.0\), memory model `paged_flash`, serve: "
SECOND = term(1.0, "s")


def memory(**functions):
    made = MemoryModel(
        name="paged_flash",
        doc="of a test",
        spec=DRAM.spec,
        order=40,
        serve=lambda part, traffic: Usage(time=SECOND),
        capacity=lambda part: None,
        peak=lambda part: term(1.0, "B/s"),
    )
    return guard_record("memory", attrs.evolve(made, **functions), PFLASH)


def raising(error):
    def function(*arguments):
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (SystemExit(5), "SystemExit: 5"),
        (BrokenPipeError(32, "Broken pipe"), "BrokenPipeError: "),
        (DimensionError("`+` mixes B and s"), "DimensionError: `\\+` mixes B and s"),
    ],
)
def test_what_is_raised_is_attributed(error, words):
    with pytest.raises(PluginError, match=SERVE + words) as caught:
        memory(serve=raising(error)).serve(None, None)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [UsageError("no"), PluginError("other"), KeyboardInterrupt()])
def test_what_a_person_caused_goes_through(error):
    with pytest.raises(type(error)) as caught:
        memory(serve=raising(error)).serve(None, None)
    assert caught.value is error


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "returns None instead of a Usage"),
        (Usage(time=3.0), r"`time` is 3.0 \(float\) instead of a Term in s"),
        (Usage(time=term(1.0, "B")), "`time` is in B instead of s"),
        (Usage(time=term(math.nan, "s")), r"`time` is not a number \(NaN\)"),
        (Usage(time=term([1.0, math.nan], "s")), r"`time` is not a number \(NaN\)"),
        (Usage(time=term([1.0, -3.0], "s")), "`time` is negative: -3 s"),
        (Usage(time=SECOND, energy=SECOND), "`energy` is in s instead of J"),
        (Usage(time=SECOND, limits=[]), "`limits` is a list instead of a tuple of Limit"),
        (Usage(time=SECOND, limits=(3,)), r"`limits` holds 3 \(int\) instead of a Limit"),
        (Usage(time=SECOND, limits=(Limit("x", SECOND, ONE),)), "limit `x` compares s with a plain number"),
        (Usage(time=SECOND, onward=SECOND), "`onward` is a Term instead of a Traffic"),
    ],
)
def test_what_is_no_usage_is_refused(result, words):
    with pytest.raises(PluginError, match=SERVE + words):
        memory(serve=lambda part, traffic: result).serve(None, None)


def test_a_time_may_be_endless():
    usage = Usage(time=Term(np.array([1.0, math.inf]), SECOND.dimension))
    assert memory(serve=lambda part, traffic: usage).serve(None, None) is usage


def test_a_peak_has_its_dimension_and_a_capacity_may_be_absent():
    assert memory().capacity(None) is None
    with pytest.raises(PluginError, match="peak: the result is in s instead of B/s"):
        memory(peak=lambda part: SECOND).peak(None)


def test_a_strategy_returns_a_step_of_terms():
    step = Step(phase="decode", sequences=ONE, tokens=ONE, context=4.0)
    made = Strategy(
        name="halves", doc="of a test", spec=object, order=1, split=lambda *_: step, shard=lambda *_: None
    )
    watched = guard_record("strategy", made, PFLASH)
    with pytest.raises(PluginError, match=r"strategy `halves`, split: `context` of the step is 4.0"):
        watched.split(None, step)
    with pytest.raises(PluginError, match="shard: returns None instead of a Plan"):
        watched.shard(None, None, None)


def test_a_metric_has_the_dimension_of_its_unit_and_may_be_no_number():
    def made(result):
        record = Metric(name="carbon", doc="of a test", unit="ms", compute=lambda evaluation: result)
        return guard_record("metric", record, PFLASH).compute

    assert made(None)(None) is None
    assert np.isnan(made(term(math.nan, "s"))(None).value)
    with pytest.raises(PluginError, match="metric `carbon`, compute: the result is in B instead of ms"):
        made(term(1.0, "B"))(None)


def test_a_check_that_fails_while_it_yields_is_attributed():
    def run(design):
        yield 3

    with pytest.raises(PluginError, match=r"check `odd`, run: yields 3 \(int\) instead of a Diagnostic"):
        guard_record("check", Check(name="odd", doc="of a test", run=run), PFLASH).run(None)


def report(write):
    return guard_record("report", Report(name="xml", doc="of a test", write=write), PFLASH).write


def test_a_report_that_fails_is_attributed_unless_its_stream_does(tmp_path):
    with pytest.raises(PluginError, match="report `xml`, write: FileNotFoundError"):
        report(lambda results, stream: (tmp_path / "template").read_text())((), io.StringIO())
    with pytest.raises(PluginError, match="report `xml`, write: BrokenPipeError"):
        report(raising(BrokenPipeError()))((), sys.__stdout__)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream, pytest.raises(BrokenPipeError):
        report(raising(BrokenPipeError()))((), stream)


def test_the_registry_watches_all_records():
    record = Metric(name="carbon", doc="of a test", unit="s", compute=raising(ValueError("boom")))

    class Made:
        @hookimpl
        def accelscope_metrics(self):
            return (record,)

    with pytest.raises(PluginError, match="metric `carbon`, compute: ValueError: boom"):
        Registry.of(Made()).metrics["carbon"].compute(None)
    with pytest.raises(PluginError, match=r"plugin `memory` \(accelscope .*memory model `dram`, serve"):
        Registry.built_in().memories["dram"].serve(None, None)


@pytest.mark.parametrize(
    "code", ["raise ValueError('boom')", "raise SystemExit(5)", "raise BrokenPipeError()"]
)
def test_a_plugin_that_fails_in_an_evaluation_is_4(accel, distribution, code):
    name = code.partition(" ")[2].partition("(")[0]
    distribution(
        "pf",
        "pflash",
        f"def compute(evaluation):\n    {code}\n\n\n@hookimpl\ndef accelscope_metrics():\n"
        "    yield Metric(name='odd', doc='of a test', unit='s', compute=compute)\n",
    )
    done = accel("eval", JOB)
    assert (done.code, done.out) == (4, "")
    assert f"error: plugin `pflash` (pf 1.0), metric `odd`, compute: {name}" in done.err


def test_a_hook_that_exits_is_a_failure_of_its_plugin(accel, distribution):
    distribution("pf", "pflash", "@hookimpl\ndef accelscope_metrics():\n    raise SystemExit(5)\n")
    done = accel("plugins")
    assert done.code == 1
    assert "`pflash` of pf 1.0 failed in accelscope_metrics: SystemExit: 5" in done.err
