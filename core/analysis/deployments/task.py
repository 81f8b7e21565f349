"""What a deployment search is asked: a model, a load and targets without a system; and the text of each try. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from accelscope.core.analysis.compare.candidates import UsedDefinition
from accelscope.core.analysis.compare.scenario_text import format_use_statements
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text

DEPLOYMENT_SCENARIO = "best"
POOL_NAMES = ("prefill", "decode")


@frozen(kw_only=True)
class DeploymentProblem:
    """What is to be deployed.

    Attributes:
        model: or None where the deployment has it; deployment: that all tries extend, or None.
        workload: of a file, or None; load: fields of a workload, as texts, beside it.
        free: field of the load that is searched over, or "" where the load says it.
        slo: of a file, or None; requirements: further conditions as texts.
    """

    model: UsedDefinition | None
    deployment: UsedDefinition | None = None
    workload: UsedDefinition | None = None
    load: Mapping[str, str]
    free: str = ""
    slo: UsedDefinition | None = None
    requirements: tuple[str, ...] = ()


@frozen(kw_only=True)
class DeploymentVariant:
    """What cannot be an array: the system, data types, and whether prompts have devices of their own.

    Attributes:
        precision: fields of a precision block; empty to leave what the model or the deployment says.
    """

    system: UsedDefinition
    precision: tuple[tuple[str, str], ...] = ()
    pools: bool = False


@frozen(kw_only=True)
class DeploymentTask:
    """One variant to work on; picklable.

    Attributes:
        folder: that files of the wish are relative to.
        most: devices that a deployment may use.
        curves: whether the trade of cost against speed is wanted.
    """

    wish: DeploymentProblem
    variant: DeploymentVariant
    folder: str
    most: int
    curves: bool = False


def format_deployment_text(
    wish: DeploymentProblem, variant: DeploymentVariant, layout: Mapping[str, int] | None = None
) -> str:
    """Return a file with one try as a scenario.

    Args:
        layout: degrees and load; without it one device and one sequence.
    """
    chosen = dict(layout or {})
    used = [item for item in (wish.model, variant.system, wish.deployment, wish.workload, wish.slo) if item]
    parts = [
        "\n".join(format_use_statements(used)),
        _workload(wish, chosen),
        _slo(wish),
        _deployment(wish, variant, chosen),
        f"scenario {DEPLOYMENT_SCENARIO} {{ deployment = the_deployment, workload = the_load"
        + (", slo = the_targets }" if _targets(wish) else " }"),
    ]
    return format_text(SourceText("search.accel", "\n\n".join(filter(None, parts)) + "\n"))


def _targets(wish: DeploymentProblem) -> bool:
    return wish.slo is not None or bool(wish.requirements)


def _workload(wish: DeploymentProblem, chosen: Mapping[str, int]) -> str:
    fields = dict(wish.load)
    if wish.free:
        fields[wish.free] = str(chosen.get(wish.free, 1))
    base = f" extends {wish.workload.reference}" if wish.workload else ""
    return f"workload the_load{base} {{ {', '.join(f'{name} = {value}' for name, value in fields.items())} }}"


def _slo(wish: DeploymentProblem) -> str:
    if not _targets(wish):
        return ""
    base = f" extends {wish.slo.reference}" if wish.slo else ""
    lines = "\n".join(f"  require {text}" for text in wish.requirements)
    return f"slo the_targets{base} {{\n{lines}\n}}"


def _deployment(wish: DeploymentProblem, variant: DeploymentVariant, chosen: Mapping[str, int]) -> str:
    base = f" extends {wish.deployment.reference}" if wish.deployment else ""
    lines = [f"deployment the_deployment{base} {{", f"  system = {variant.system.reference}"]
    if wish.model is not None:
        lines.append(f"  model = {wish.model.reference}")
    if variant.precision:
        lines.append(f"  precision {{ {_fields(dict(variant.precision))} }}")
    lines += _pools(chosen) if variant.pools else _shared(chosen, whole=wish.deployment is not None)
    return "\n".join([*lines, "}"])


def _shared(chosen: Mapping[str, int], *, whole: bool) -> Iterator[str]:
    """Yield the degrees; all of them where a deployment that is extended may have others."""
    degrees = {name: value for name, value in chosen.items() if name in SEARCHED_DEGREES}
    yield f"  parallel {{ {_fields(degrees if whole and degrees else trim_degrees(degrees))} }}"
    if "chunk" in chosen:
        yield f"  scheduler {{ chunked_prefill = {chosen['chunk']} tok }}"


def _pools(chosen: Mapping[str, int]) -> Iterator[str]:
    for pool in POOL_NAMES:
        start = f"{pool}_"
        degrees = {
            name.removeprefix(start): value for name, value in chosen.items() if name.startswith(start)
        }
        more = "keeps_up = true, " if pool == "prefill" else ""
        yield f"  pool {pool} {{ {more}parallel {{ {_fields(trim_degrees(degrees))} }} }}"
    yield "  kv_transfer { overlap = layerwise }"


SEARCHED_DEGREES = ("tp", "pp", "cp", "dp", "dp_attention", "ep")
"""Fields of `parallel` that a search chooses."""


def trim_degrees(degrees: Mapping[str, int]) -> dict[str, int]:
    """Return degrees without those that divide nothing, but for the tensor-parallel one."""
    return {name: value for name, value in degrees.items() if value != 1 or name == "tp"} or {"tp": 1}


def _fields(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())
