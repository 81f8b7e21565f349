"""What a deployment search is asked: a model, a load and targets without a system; and the text of each try. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from accelscope.core.analysis.scenario_text import (
    UsedDefinition,
    format_accel_file,
    format_block,
    format_short_block,
    format_use_statements,
)

DEPLOYMENT_SCENARIO = "best"
POOL_NAMES = ("prefill", "decode")


@frozen(kw_only=True)
class DeploymentProblem:
    """What is to be deployed.

    Attributes:
        model: model, or None where the deployment has it.
        deployment: deployment that all tries extend, or None.
        workload: workload of a file, or None.
        load: further fields of a workload, as texts.
        free: field of the load that is searched over, or "" where the load says it.
        slo: SLO of a file, or None.
        requirements: further conditions, as texts.
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
        wish: model, workload, SLO and goals.
        variant: system, data types, and whether prompts have devices of their own.
        layout: degrees and load; without it one device and one sequence.
    """
    chosen = dict(layout or {})
    used = [item for item in (wish.model, variant.system, wish.deployment, wish.workload, wish.slo) if item]
    scenario = {"deployment": "the_deployment", "workload": "the_load"}
    if _has_targets(wish):
        scenario["slo"] = "the_targets"
    return format_accel_file(
        "search.accel",
        (
            "\n".join(format_use_statements(used)),
            _workload(wish, chosen),
            _slo(wish),
            _deployment(wish, variant, chosen),
            format_short_block(f"scenario {DEPLOYMENT_SCENARIO}", scenario),
        ),
    )


def _has_targets(wish: DeploymentProblem) -> bool:
    return wish.slo is not None or bool(wish.requirements)


def _workload(wish: DeploymentProblem, chosen: Mapping[str, int]) -> str:
    fields = dict(wish.load)
    if wish.free:
        fields[wish.free] = str(chosen.get(wish.free, 1))
    return format_short_block("workload the_load", fields, base=_reference(wish.workload))


def _slo(wish: DeploymentProblem) -> str:
    if not _has_targets(wish):
        return ""
    requirements = [f"require {text}" for text in wish.requirements]
    return format_block("slo the_targets", {}, base=_reference(wish.slo), statements=requirements)


def _deployment(wish: DeploymentProblem, variant: DeploymentVariant, chosen: Mapping[str, int]) -> str:
    fields: dict[str, object] = {"system": variant.system.reference}
    if wish.model is not None:
        fields["model"] = wish.model.reference
    if variant.precision:
        fields["precision"] = dict(variant.precision)
    fields |= _pools(chosen) if variant.pools else _shared(chosen, whole=wish.deployment is not None)
    return format_block("deployment the_deployment", fields, base=_reference(wish.deployment))


def _reference(base: UsedDefinition | None) -> str:
    return "" if base is None else base.reference


def _shared(chosen: Mapping[str, int], *, whole: bool) -> dict[str, object]:
    """Return the degrees; all of them if a deployment that is extended may have others."""
    degrees = {name: value for name, value in chosen.items() if name in SEARCHED_DEGREES}
    fields: dict[str, object] = {"parallel": degrees if whole and degrees else trim_degrees(degrees)}
    if "chunk" in chosen:
        fields["scheduler"] = {"chunked_prefill": f"{chosen['chunk']} tok"}
    return fields


def _pools(chosen: Mapping[str, int]) -> dict[str, object]:
    """Return a block for each pool, and how the KV cache gets from one to the other."""
    fields: dict[str, object] = {}
    for pool in POOL_NAMES:
        start = f"{pool}_"
        degrees = {
            name.removeprefix(start): value for name, value in chosen.items() if name.startswith(start)
        }
        more = {"autosize": "true"} if pool == "prefill" else {}
        fields[f"pool {pool}"] = {**more, "parallel": trim_degrees(degrees)}
    return {**fields, "kv_transfer": {"overlap": "layerwise"}}


SEARCHED_DEGREES = ("tp", "pp", "cp", "dp", "dp_attention", "ep")
"""Fields of `parallel` that a search chooses."""


def trim_degrees(degrees: Mapping[str, int]) -> dict[str, int]:
    """Return degrees without those that divide nothing, but for the tensor-parallel one."""
    return {name: value for name, value in degrees.items() if value != 1 or name == "tp"} or {"tp": 1}
