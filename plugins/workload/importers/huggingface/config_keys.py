"""Reads keys of a configuration, remembers which were used, and collects what is wrong with their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

_BOOKKEEPING = ("model_type", "architectures", "_name_or_path", "name_or_path", "transformers_version")
_MOST = 10**12  # no size of a model is larger


@define
class ConfigKeys:
    """The keys of one configuration.

    Attributes:
        config: the mapping.
        defaults: values of absent keys.
        problems: what is wrong, in sentences.
        used: keys that were read.
        within: unused keys of inner objects.
        origins: full names of keys that stood in an inner object.
        notes: what a reader of the result should know.
    """

    config: Mapping[str, object]
    defaults: Mapping[str, object]
    problems: list[str] = field(factory=list)
    used: set[str] = field(factory=lambda: set(_BOOKKEEPING))
    within: list[str] = field(factory=list)
    origins: Mapping[str, str] = field(factory=dict)
    notes: list[str] = field(factory=list)

    def raw(self, *names: str) -> object:
        """Return the value of the first key that is there and not null, then that of a default, else None."""
        found: object = None
        for name in names:
            if name in self.config:
                self.used.add(name)
                found = self.config[name] if found is None else found
        if found is not None:
            return found
        return next((self.defaults[name] for name in names if name in self.defaults), None)

    def count(self, *names: str, least: int = 1) -> int | None:
        """Return a whole number, or None where no key gives one; anything else is a problem."""
        found = self.raw(*names)
        if found is None:
            return None
        self._agreed(names)
        if not _whole(found) or not isinstance(found, int | float) or not least <= found <= _MOST:
            self._problem(
                f"`{self.find_present(*names)}` must be a whole number of at least {least}, not {found!r}"
            )
            return None
        return int(found)

    def whole(self, *names: str) -> int | None:
        """Return a whole number as `count` does, without a word where there is none."""
        found = self.raw(*names)
        return int(found) if isinstance(found, int | float) and _whole(found) else None

    def divides(self, few: Sequence[str], many: Sequence[str]) -> bool:
        """Return whether one number divides another; where it does not, that is a problem."""
        part, size = self.whole(*few), self.whole(*many)
        return self._holds(
            part is None or size is None or (part > 0 and size % part == 0), few, many, "divide"
        )

    def at_most(self, few: Sequence[str], many: Sequence[str]) -> bool:
        """Return whether one number is no more than another; where it is more, that is a problem."""
        part, size = self.whole(*few), self.whole(*many)
        return self._holds(part is None or size is None or part <= size, few, many, "fit into")

    def _holds(self, holds: bool, few: Sequence[str], many: Sequence[str], verb: str) -> bool:
        if not holds:
            one, other = self.find_present(*few), self.find_present(*many)
            self._problem(f"`{one}` of {self.whole(*few)} does not {verb} `{other}` of {self.whole(*many)}")
        return holds

    def _agreed(self, names: Sequence[str]) -> None:
        given = {name: self.config[name] for name in names if self.config.get(name) is not None}
        if len({repr(value) for value in given.values()}) > 1:
            told = ", ".join(f"`{name}` is {value!r}" for name, value in given.items())
            self._problem(f"keys that mean the same differ: {told}")

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    def needed(self, meaning: str, *names: str) -> int | None:
        """Return a whole number; its absence is a problem that names the keys that were looked for."""
        before = len(self.problems)
        found = self.count(*names)
        if found is None and len(self.problems) == before:
            looked = " or ".join(f"`{name}`" for name in names)
            self.problems.append(f"nothing says how many {meaning}: there is no {looked}")
        return found

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean."""
        found = self.raw(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            self.problems.append(f"`{name}` must be true or false, not {found!r}")
            return default
        return found

    def required(self, *names: str) -> None:
        """Say which of some keys are absent, null counting as there: their class has a default that is not ours."""
        absent = [f"`{name}`" for name in names if name not in self.config]
        if absent:
            self._problem(
                f"the architecture needs {', '.join(absent)}, and nothing here says what to take instead"
            )

    def find_present(self, *names: str) -> str:
        """Return which of some keys is there."""
        return next((name for name in names if self.config.get(name) is not None), names[0])

    @property
    def unused(self) -> tuple[str, ...]:
        """Keys that nothing read, sorted."""
        left = {self.origins.get(key, key) for key in self.config if key not in self.used}
        return tuple(sorted({*left, *self.within}))


def _whole(value: object) -> bool:
    """Return whether a JSON value is a whole number, also where it is written 1.0."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
