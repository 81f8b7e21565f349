"""Workloads that ship with accelscope, and the reader of Hugging Face configurations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.commands import Commands
    from accelscope.core.plugin.records import Check, KindRecord, LayerModel, WorkloadModel


@hookimpl
def accelscope_workloads() -> Iterable[WorkloadModel]:
    """Yield families of models, and single kernels."""
    from accelscope.plugins.workload.decoder.decoder import DECODER
    from accelscope.plugins.workload.kernels import attention as kernel_attention
    from accelscope.plugins.workload.kernels import common as kernel
    from accelscope.plugins.workload.kernels import moe as kernel_moe
    from accelscope.plugins.workload.kernels import row_wise as kernel_rows

    yield DECODER
    yield from kernel.GEMM_KERNELS
    yield from kernel_attention.ATTENTION_KERNELS
    yield from kernel_moe.MOE_KERNELS
    yield from kernel_rows.ROW_KERNELS


@hookimpl
def accelscope_layers() -> Iterable[LayerModel]:
    """Yield kinds of layer of a decoder."""
    from accelscope.plugins.workload.mixers.mixers import MIXERS

    yield from MIXERS


@hookimpl
def accelscope_kinds() -> Iterable[KindRecord]:
    """Yield the blocks that stand in a model."""
    from accelscope.plugins.workload.decoder.block_kinds import MODEL_BLOCK_KINDS

    yield from MODEL_BLOCK_KINDS


@hookimpl
def accelscope_checks() -> Iterable[Check]:
    """Yield checks of models."""
    from accelscope.plugins.workload.decoder.checks import DECLARED_PARAMETERS, POSSIBLE_DECODER

    yield POSSIBLE_DECODER
    yield DECLARED_PARAMETERS


@hookimpl
def accelscope_commands(commands: Commands) -> None:
    """Add the verb that reads files of other tools."""
    commands.add(
        "import",
        "accelscope.plugins.workload.importers.cli:import_group",
        "Make descriptions from files of other tools.",
    )
