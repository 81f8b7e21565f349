"""The text of a comparison: one scenario for each system and batch, as a person would write it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from accelscope.core.analysis.scenario_text import (
    UsedDefinition,
    format_accel_file,
    format_block,
    format_short_block,
    format_use_statements,
)


@frozen(kw_only=True)
class ComparisonLoad:
    """What is asked of each system."""

    batch: int
    prompt: int
    output: int


@frozen(kw_only=True)
class ComparisonCase:
    """One scenario: a system, how the model lies on it, and the load.

    Attributes:
        split: fields of `parallel { }`; empty where no split holds the model, so that one device is described.
        weights, products: data types.
        why: why it cannot work, as a comment; empty where it can.
    """

    system: UsedDefinition
    split: tuple[tuple[str, int], ...]
    weights: str
    products: str
    load: ComparisonLoad
    why: str = ""

    @property
    def place(self) -> str:
        """Name of the deployment."""
        parts = [f"{name}{degree}" for name, degree in self.split if degree != 1]
        return "_".join((self.system.reference.replace(".", "_"), *parts))

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return f"{self.place}_batch_{self.load.batch}"


def format_comparison_text(title: str, model: UsedDefinition, cases: Sequence[ComparisonCase]) -> str:
    """Return a file with the scenarios of cases.

    Args:
        title: first line of its documentation.
        model: that all of them serve.
        cases: one for each scenario.

    Raises:
        UsageError: two definitions of one name come from different places.
    """
    note = (
        "`accelscope compare FILE` evaluates its scenarios side by side, `accelscope eval FILE` each in full."
    )
    places = {case.place: case for case in cases}
    return format_accel_file(
        "comparison",
        (
            f"## {title}.\n##\n## {note}",
            "\n".join(format_use_statements((*(case.system for case in cases), model))),
            "\n".join(_workload(load) for load in dict.fromkeys(case.load for case in cases)),
            *(_deployment(case, model) for case in places.values()),
            "\n".join(line for case in cases for line in _scenario(case)),
        ),
    )


def _workload(load: ComparisonLoad) -> str:
    fields = {"batch": load.batch, "prompt": f"{load.prompt} tok", "output": f"{load.output} tok"}
    return format_short_block(f"workload {_load_name(load)}", fields)


def _load_name(load: ComparisonLoad) -> str:
    return f"batch_{load.batch}"


def _deployment(case: ComparisonCase, model: UsedDefinition) -> str:
    fields = {
        "system": case.system.reference,
        "model": model.reference,
        "precision": {"weights": case.weights, "activations": case.products},
        "parallel": dict(case.split) or {"tp": 1},
    }
    return format_block(f"deployment on_{case.place}", fields)


def _scenario(case: ComparisonCase) -> Iterator[str]:
    if case.why:
        yield f"# does not work: {case.why}"
    fields = {"deployment": f"on_{case.place}", "workload": _load_name(case.load)}
    yield format_short_block(f"scenario {case.name}", fields)
