"""From names and texts of the command line, or a file without a system, to what a deployment search is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from accelscope.core.analysis.deployments.run import DEFAULT_WEIGHT_DTYPES
from accelscope.core.analysis.deployments.task import DeploymentProblem
from accelscope.core.analysis.jobs.candidates import resolve_model_argument
from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.errors import UsageError
from accelscope.core.io.files import ACCEL_SUFFIX, split_file_argument
from accelscope.core.library.definitions import find_definitions, list_definitions, load_file_definition
from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.syntax.parser import parse
from accelscope.dsl.values.values import Symbol

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace
    from accelscope.dsl.check.program import Program
    from accelscope.dsl.interpret.component import Component

PROMPT, OUTPUT = "1024 tok", "256 tok"
"""Of a load that nobody gave; as `compare` has it."""


@frozen(kw_only=True)
class DeploymentRequest:
    """What the command line says.

    Attributes:
        load: fields of a workload that are set, as texts.
        slo: conditions, or FILE.accel:NAME.
    """

    file: str | None
    model: str | None
    deployment: str | None
    workload: str | None
    load: Mapping[str, str]
    slo: tuple[str, ...]


def build_deployment_problem(session: Workspace, asked: DeploymentRequest) -> DeploymentProblem:
    """Return what is wished for.

    Raises:
        UsageError: no model is named, or a name is not there.
        DescriptionError: a file has errors.
    """
    program = session.checked(asked.file) if asked.file is not None else None
    base = _only(program, asked.file, "deployment", asked.deployment)
    model = None if asked.model is None else resolve_model_argument(session, asked.model).used
    _refuse_modelless(asked, base, program)
    workload, component = _workload(session, asked, program)
    given = set(component.attributes()) if component is not None else set()
    load = dict(asked.load)
    if component is None:
        load = {"prompt": PROMPT, "output": OUTPUT} | load
    slo, requirements = _targets(session, asked, program)
    return DeploymentProblem(
        model=model,
        deployment=base,
        workload=workload,
        load=load,
        free="" if {"concurrency", "batch"} & (given | set(load)) else "concurrency",
        slo=slo,
        requirements=requirements,
    )


def choose_precisions(
    session: Workspace, asked: DeploymentRequest, wish: DeploymentProblem, words: str | None
) -> tuple[str, ...]:
    """Return the data types of weights to try: those that are asked for, else the model's own, else the usual ones.

    Raises:
        UsageError: there is no such type.
    """
    if words is not None:
        found = tuple(word.strip() for word in words.split(","))
        for word in found:
            if word not in DTYPE_NAMES:
                hint = did_you_mean(word, DTYPE_NAMES) or f"there are {', '.join(DTYPE_NAMES)}"
                raise UsageError(f"--precision: there is no `{word}`; {hint}")
        return found
    own = [type_ for component in _stated(session, asked, wish) if (type_ := _weights(component))]
    return tuple(own[:1]) or DEFAULT_WEIGHT_DTYPES


def _stated(session: Workspace, asked: DeploymentRequest, wish: DeploymentProblem) -> list[Component]:
    """Return the blocks that may say a precision, the strongest first."""
    found: list[Component] = []
    if wish.deployment is not None:
        base = load_file_definition(session, wish.deployment.file, wish.deployment.name).component
        found.append(base)
        inner = base.attributes().get("model")
        if asked.model is None and inner is not None and hasattr(inner.value, "children"):
            found.append(inner.value)
    if asked.model is not None:
        file, name = split_file_argument(asked.model)
        if file:
            found.append(load_file_definition(session, file, name, ("model",)).component)
        else:
            found.extend(
                item.component
                for item in find_definitions(tuple(list_definitions(session)), name, ("model",))
            )
    return found


def _weights(component: Component) -> str | None:
    for block in component.children("precision"):
        attribute = block.attributes().get("weights")
        if attribute is not None and isinstance(attribute.value, Symbol):
            return attribute.value.name
    return None


def _only(program: Program | None, file: str | None, kind: str, name: str | None) -> UsedDefinition | None:
    """Return the definition of a kind in a file: the one of a name, or the only one; None where there is none."""
    if program is None or file is None:
        return None
    there = [item.name for item in program.definitions(kind)]
    if name is not None and name not in there:
        hint = did_you_mean(name, there) or f"there are {', '.join(there) or 'none'}"
        raise UsageError(f"`{file}` holds no {kind} called `{name}`; {hint}")
    if name is None and len(there) > 1:
        raise UsageError(f"`{file}` holds {', '.join(there)}; choose one with --{kind}")
    return UsedDefinition(name=name or there[0], file=_resolved(file)) if there else None


def _workload(
    session: Workspace, asked: DeploymentRequest, program: Program | None
) -> tuple[UsedDefinition | None, Component | None]:
    name = asked.workload
    if name is not None and ACCEL_SUFFIX + ":" in name:
        file, _, inner = name.rpartition(":")
        return UsedDefinition(name=inner, file=_resolved(file)), load_file_definition(
            session, file, inner, ("workload",)
        ).component
    if program is None and name is not None:
        raise UsageError(f"--workload is a name in FILE, or FILE{ACCEL_SUFFIX}:NAME, and `{name}` is neither")
    used = _only(program, asked.file, "workload", name)
    if used is None or program is None:
        return None, None
    return used, next(item for item in program.definitions("workload") if item.name == used.name)


def _targets(
    session: Workspace, asked: DeploymentRequest, program: Program | None
) -> tuple[UsedDefinition | None, tuple[str, ...]]:
    """Return the slo and further conditions: names where there is no operator in them."""
    conditions = tuple(text for text in asked.slo if _condition(text))
    for text in conditions:
        _, problems = parse(SourceText("--slo", f"slo asked {{ require {text} }}"))
        if problems:
            raise UsageError(f"--slo: `{text}` is no condition such as `ttft <= 2 s`: {problems[0].message}")
    names = [text for text in asked.slo if not _condition(text)]
    if len(names) > 1:
        raise UsageError(f"--slo takes one name and any conditions, not {' and '.join(names)}")
    if names and ACCEL_SUFFIX + ":" in names[0]:
        file, _, inner = names[0].rpartition(":")
        load_file_definition(session, file, inner, ("slo",))
        return UsedDefinition(name=inner, file=_resolved(file)), conditions
    if names and program is None:
        raise UsageError(
            f"--slo is a condition such as `ttft <= 2 s`, a name in FILE, or FILE{ACCEL_SUFFIX}:NAME; `{names[0]}` is none of these"
        )
    return _only(program, asked.file, "slo", names[0] if names else None), conditions


def _condition(text: str) -> bool:
    return any(sign in text for sign in "<>=")


def _refuse_modelless(asked: DeploymentRequest, base: UsedDefinition | None, program: Program | None) -> None:
    if asked.model is not None:
        return
    if base is None or program is None:
        raise UsageError("--model says which model is to be deployed")
    found = next(item for item in program.definitions("deployment") if item.name == base.name)
    if "model" not in found.attributes():
        raise UsageError(f"`deployment {base.name}` names no model; add one, or give --model")
    if found.children("pool"):
        raise UsageError(f"`deployment {base.name}` has pools already; a search lays them out itself")


def _resolved(file: str) -> str:
    return str(Path(file).resolve())


def list_file_folders(names: Sequence[str | None]) -> tuple[str, ...]:
    """Return the folders of files that are named, since they may be used from anywhere."""
    paths = [
        name.partition(ACCEL_SUFFIX)[0] + ACCEL_SUFFIX
        for name in names
        if name is not None and ACCEL_SUFFIX in name
    ]
    return tuple(dict.fromkeys(str(Path(path).parent) for path in paths))
