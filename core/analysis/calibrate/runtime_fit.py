"""Paces of runtimes fitted to static batches and closed loops: one hierarchy of factors, evaluated through the models themselves.

A field of a pace is a product: of its runtime, of the port to a vendor other than the one that most rows of the runtime
are of, and, for rates, of the family and the device; times of the host also have a factor of the family, since the servers of a generation of devices share theirs.
The logarithms of all factors are drawn towards 0 with a width of their own (a maximum a posteriori estimate), so that
what nobody measured is as its nearest relatives are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.calibrate.runtime_groups import RuntimeRowGroup, VendorFamilyDevice
from accelscope.core.analysis.validate.static_batch import evaluate_row_design
from accelscope.core.blocks.runtime import DEVICE_OVERRIDE_FIELDS
from accelscope.core.numeric.term import Array, term

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design
    from accelscope.core.plugin.registry import Registry


@frozen
class ProfileFieldPrior:
    """Where a field starts, in s or as a plain number, and how far its logarithm may go.

    Attributes:
        own: standard deviation of the logarithm of a runtime's value around `start`.
        port: standard deviation of the logarithm of a port's value around that of its runtime.
    """

    start: float
    own: float
    port: float


PROFILE_FIELD_PRIORS: Mapping[str, ProfileFieldPrior] = {
    "step_overhead": ProfileFieldPrior(8e-4, 1.0, 1.0),
    "per_sequence_overhead": ProfileFieldPrior(2e-5, 1.5, 0.7),
    "per_request_overhead": ProfileFieldPrior(1e-3, 1.5, 0.5),
    "multi_rank_step_overhead": ProfileFieldPrior(3e-4, 1.5, 0.7),
    "launch_time_per_layer": ProfileFieldPrior(5e-5, 1.5, 1.5),
    "all_reduce_overhead": ProfileFieldPrior(8e-6, 1.2, 0.7),
    "send_recv_overhead": ProfileFieldPrior(5e-5, 2.5, 2.5),
    "kernels_per_op": ProfileFieldPrior(1.0, 0.3, 0.3),
    "gemm_rate_scale": ProfileFieldPrior(1.0, 0.3, 0.25),
    "prefill_attention_rate_scale": ProfileFieldPrior(1.0, 0.5, 0.35),
    "bandwidth_scale": ProfileFieldPrior(1.0, 0.1, 0.2),
    "decode_kv_bandwidth_scale": ProfileFieldPrior(1.0, 0.3, 0.35),
    "elementwise_bytes_scale": ProfileFieldPrior(1.0, 0.8, 0.4),
    "frontend_latency": ProfileFieldPrior(0.03, 1.0, 0.7),
    "prefill_launch_latency": ProfileFieldPrior(4e-5, 0.7, 0.5),
}
"""Fields of a pace that static batches or closed loops tell something of."""
RATE_FACTORS: Mapping[str, str] = {
    "gemm_rate_scale": "compute",
    "prefill_attention_rate_scale": "compute",
    "bandwidth_scale": "bandwidth",
    "decode_kv_bandwidth_scale": "bandwidth",
}
"""Fields that have a factor of the device and of its family, and which."""
HOST_FIELDS = (
    "step_overhead",
    "per_sequence_overhead",
    "per_request_overhead",
    "multi_rank_step_overhead",
    "launch_time_per_layer",
)
"""Fields that have a factor of the family's servers."""
TIME_FIELDS = (
    *HOST_FIELDS,
    "all_reduce_overhead",
    "send_recv_overhead",
    "frontend_latency",
    "prefill_launch_latency",
)
"""Fields in s."""
FAMILY_WIDTHS: Mapping[str, float] = {"compute": 0.25, "bandwidth": 0.2, "host": 0.3}
DEVICE_WIDTHS: Mapping[str, float] = {"compute": 0.2, "bandwidth": 0.07}
"""Widths of the factors of families and devices."""
KERNEL_SPEED_FIELDS = ("gemm_rate_scale", "prefill_attention_rate_scale", "elementwise_bytes_scale")
"""Fields that say how fast kernels are: close to 1 for a runtime whose own kernels the library knows the measured times of."""
MEASURED_WIDTH_SHARE = 0.2
"""Share of their width that such fields keep there: what else slows a prompt down must not be taken for them."""
_NOISE = 0.08
"""Deviation of repeated measurements of one configuration."""
_STEP = 1e-4
_WORST = 1e3
_ROUNDS = 12
_FAR = 7.0  # logarithm of a factor
_STRIDE = 1.5  # of a logarithm in one round
_GAIN = 1e-3  # share of the cost that a round has to gain for another one

ProfileFactor = tuple[str, ...]
"""What a factor is of: kind (`runtime`, `port`, `family`, `device`), names, field."""


@frozen(eq=False)
class ProfileFit:
    """Logarithms of all factors, in order, with their covariance."""

    values: dict[ProfileFactor, float]
    covariance: Array
    measured: frozenset[str] = frozenset()

    @property
    def deviations(self) -> dict[ProfileFactor, float]:
        """Deviation of each factor."""
        return dict(zip(self.values, np.sqrt(np.diag(self.covariance)), strict=True))

    def of(self, runtime: str, names: VendorFamilyDevice, name: str) -> float:
        """Return a field of a runtime on a device, known or not."""
        found = (self.values.get(place, 0.0) for place, _ in self._places(runtime, names, name))
        return float(PROFILE_FIELD_PRIORS[name].start * np.exp(sum(found)))

    def deviation(self, runtime: str, names: VendorFamilyDevice, name: str) -> float:
        """Return the deviation of the logarithm of a field; factors that no row has are as wide as they start."""
        places = dict(self._places(runtime, names, name))
        order = list(self.values)
        known = [order.index(place) for place in places if place in self.values]
        unknown = sum(width**2 for place, width in places.items() if place not in self.values)
        return float(np.sqrt(self.covariance[np.ix_(known, known)].sum() + unknown))

    def _places(
        self, runtime: str, names: VendorFamilyDevice, name: str
    ) -> Iterator[tuple[ProfileFactor, float]]:
        return list_profile_factors(runtime, names, name, runtime in self.measured)


def list_profile_factors(
    runtime: str, names: VendorFamilyDevice, name: str, measured: bool
) -> Iterator[tuple[ProfileFactor, float]]:
    """Yield the factors of a field with their widths.

    Args:
        runtime: name of the runtime.
        names: vendor, family and name of the device.
        name: name of the field.
        measured: whether the kernels of the runtime were.
    """
    vendor, family, device = names
    width = PROFILE_FIELD_PRIORS[name]
    share = MEASURED_WIDTH_SHARE if measured and name in KERNEL_SPEED_FIELDS else 1.0
    yield ("runtime", runtime, name), width.own * share
    if vendor:
        yield ("port", runtime, vendor, name), width.port
    if name in RATE_FACTORS and share == 1.0:
        yield ("family", family, RATE_FACTORS[name]), FAMILY_WIDTHS[RATE_FACTORS[name]]
        yield ("device", device, RATE_FACTORS[name]), DEVICE_WIDTHS[RATE_FACTORS[name]]
    if name in HOST_FIELDS:
        yield ("family", family, "host"), FAMILY_WIDTHS["host"]


@frozen(eq=False)
class _Problem:
    """Groups, which factors make each field of their paces, and the widths of all factors."""

    groups: Sequence[RuntimeRowGroup]
    members: Sequence[Array]
    priors: Array
    registry: Registry

    def cost(self, residuals: Array, x: Array) -> float:
        """Return what is the least at the best factors."""
        return float(residuals @ residuals + np.sum((x / self.priors) ** 2))

    def normal(self, jacobian: Array) -> Array:
        """Return the curvature of the cost."""
        found: Array = jacobian.T @ jacobian + np.diag(1.0 / self.priors**2)
        return found


def fit_profiles(found: Sequence[RuntimeRowGroup], registry: Registry) -> ProfileFit:
    """Return the factors that fit some groups best: Levenberg-Marquardt on a soft L1 loss (pseudo-Huber)."""
    if not found:
        return ProfileFit({}, np.zeros((0, 0)))
    widths: dict[ProfileFactor, float] = {}
    for group in found:
        for name in PROFILE_FIELD_PRIORS:
            widths.update(list_profile_factors(group.runtime, group.names, name, group.measured_kernels))
    order = list(widths)
    members = [_members(group, order) for group in found]
    problem = _Problem(found, members, np.array(list(widths.values())), registry)
    x, jacobian = _least(problem)
    measured = frozenset(group.runtime for group in found if group.measured_kernels)
    return ProfileFit(dict(zip(order, x, strict=True)), np.linalg.inv(problem.normal(jacobian)), measured)


def _least(problem: _Problem) -> tuple[Array, Array]:
    """Return the best factors, and how the residuals turn with them there."""
    x = np.zeros(len(problem.priors))
    residuals, jacobian = _linear(problem, x)
    cost, damping = problem.cost(residuals, x), 1e-2
    for _ in range(_ROUNDS):
        normal = problem.normal(jacobian)
        slope = jacobian.T @ residuals + x / problem.priors**2
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -slope)
        tried = np.clip(x + np.clip(step, -_STRIDE, _STRIDE), -_FAR, _FAR)
        left, turned = _linear(problem, tried)
        gained = cost - problem.cost(left, tried)
        if gained <= 0.0:
            damping *= 6.0
            continue
        x, residuals, jacobian, cost, damping = tried, left, turned, cost - gained, damping / 4.0
        if gained < _GAIN * cost:
            break
    return x, jacobian


def _members(group: RuntimeRowGroup, order: Sequence[ProfileFactor]) -> Array:
    """Return which factors make which field of a group: 1 or 0 for each field and factor."""
    found = np.zeros((len(PROFILE_FIELD_PRIORS), len(order)))
    numbers = {place: at for at, place in enumerate(order)}
    for row, name in enumerate(PROFILE_FIELD_PRIORS):
        for place, _ in list_profile_factors(group.runtime, group.names, name, group.measured_kernels):
            found[row, numbers[place]] = 1.0
    return found


def _linear(problem: _Problem, x: Array) -> tuple[Array, Array]:
    """Return the residuals of all rows and how they turn with each factor, at some factors."""
    starts = np.log([width.start for width in PROFILE_FIELD_PRIORS.values()])
    parts, turns = [], []
    for group, member in zip(problem.groups, problem.members, strict=True):
        errors = compute_profile_errors(group, member @ x + starts, problem.registry) / _NOISE * group.weight
        soft = np.sign(errors) * np.sqrt(2.0 * (np.sqrt(1.0 + errors**2) - 1.0))
        parts.append(soft[0])
        turns.append(((soft[1:] - soft[0]) / _STEP).T @ member)
    return np.concatenate(parts), np.concatenate(turns)


def compute_profile_errors(group: RuntimeRowGroup, logs: Array, registry: Registry) -> Array:
    """Return logarithms of predicted over measured times: of the pace itself, then with each field a little higher."""
    tried = np.concatenate([logs[None], logs + _STEP * np.eye(len(logs))])
    values = evaluate_row_design(apply_profile_values(group.design, np.exp(tried)), group.table, registry)[1]
    with np.errstate(all="ignore"):
        errors = group.sign * (np.log(values) - np.log(group.measured))
    found: Array = np.clip(np.nan_to_num(errors, nan=0.0), -_WORST * _NOISE, _WORST * _NOISE)
    return found


def apply_profile_values(design: Design, values: Array) -> Design:
    """Return a design whose pace has the values of all fields, one variant after the other along the first dimension."""
    own: dict[str, Any] = dict.fromkeys(DEVICE_OVERRIDE_FIELDS)
    for at, name in enumerate(PROFILE_FIELD_PRIORS):
        unit = "s" if name in TIME_FIELDS else ""
        own[name] = term(values[:, at][:, None], unit)
    return evolve(design, runtime=evolve(design.runtime, **own))
