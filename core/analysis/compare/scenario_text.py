"""The text of a comparison: one scenario for each system and batch, as a person would write it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from accelscope.core.analysis.compare.candidates import UsedDefinition
from accelscope.core.errors import UsageError
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text


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

    Raises:
        UsageError: two definitions of one name come from different places.
    """
    note = (
        "`accelscope compare FILE` evaluates its scenarios side by side, `accelscope eval FILE` each in full."
    )
    parts = [
        f"## {title}.\n##\n## {note}",
        "\n".join(format_use_statements((*(case.system for case in cases), model))),
    ]
    loads = dict.fromkeys(case.load for case in cases)
    parts.append("\n".join(_workload(load) for load in loads))
    places = {case.place: case for case in cases}
    parts.extend(_deployment(case, model) for case in places.values())
    parts.append("\n".join(line for case in cases for line in _scenario(case)))
    return format_text(SourceText("comparison", "\n\n".join(parts) + "\n"))


def format_use_statements(used: Iterable[UsedDefinition]) -> Iterator[str]:
    """Yield a `use` for each module and file."""
    homes: dict[tuple[str, str], list[str]] = {}
    taken: dict[str, str] = {}
    for item in dict.fromkeys(used):
        word, home = (item.alias, item.file) if item.file else (item.name, item.module)
        other = taken.setdefault(word, home)
        if other != home:
            raise UsageError(
                f"`{word}` is of both `{other}` and `{home}`; compare one at a time, or rename yours"
            )
        homes.setdefault((item.module, item.file), []).append(word)
    for (module, file), words in homes.items():
        if file:
            written = file.replace("\\", "\\\\").replace('"', '\\"')
            yield f'use "{written}" as {words[0]}'
        else:
            yield f"use {module} {{ {', '.join(words)} }}"


def _workload(load: ComparisonLoad) -> str:
    return (
        f"workload {_load_name(load)} {{ batch = {load.batch}, prompt = {load.prompt} tok, "
        f"output = {load.output} tok }}"
    )


def _load_name(load: ComparisonLoad) -> str:
    return f"batch_{load.batch}"


def _deployment(case: ComparisonCase, model: UsedDefinition) -> str:
    split: Mapping[str, int] = dict(case.split) or {"tp": 1}
    return "\n".join(
        (
            f"deployment on_{case.place} {{",
            f"  system = {case.system.reference}",
            f"  model  = {model.reference}",
            f"  precision {{ weights = {case.weights}, activations = {case.products} }}",
            f"  parallel {{ {', '.join(f'{name} = {degree}' for name, degree in split.items())} }}",
            "}",
        )
    )


def _scenario(case: ComparisonCase) -> Iterator[str]:
    if case.why:
        yield f"# does not work: {case.why}"
    yield (f"scenario {case.name} {{ deployment = on_{case.place}, workload = {_load_name(case.load)} }}")
