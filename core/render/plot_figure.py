"""Plots as data: series of points and their axes, which pages and files of plots are drawn from."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class PlotSeries:
    """Points of one colour, joined by a line where `line` is set.

    Attributes:
        texts: what a reader sees at each point.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    texts: tuple[str, ...] = ()
    line: bool = False
    faint: bool = False


@frozen(kw_only=True)
class PlotFigure:
    """A plot; axes whose values span more than a factor of 20 are logarithmic."""

    title: str
    x: str
    y: str
    series: tuple[PlotSeries, ...]

    def is_logarithmic(self, axis: str) -> bool:
        """Return whether the `x` or `y` axis is."""
        values = [value for item in self.series for value in getattr(item, axis)]
        return bool(values) and min(values) > 0.0 and max(values) / min(values) > 20.0
