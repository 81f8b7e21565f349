"""Reads keys of a configuration, remembers which were used, and collects what is wrong with their values."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

_BOOKKEEPING = ("model_type", "architectures", "_name_or_path", "name_or_path", "transformers_version")
_MOST = 10**12  # no size of a model is larger


@define
class Keys:
    """The keys of one configuration.

    Attributes:
        config: the mapping; defaults: values of absent keys.
        problems: what is wrong, in sentences; used: keys that were read.
    """

    config: Mapping[str, object]
    defaults: Mapping[str, object]
    problems: list[str] = field(factory=list)
    used: set[str] = field(factory=lambda: set(_BOOKKEEPING))

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
        if not _whole(found) or not isinstance(found, int | float) or not least <= found <= _MOST:
            self.problems.append(
                f"`{self.name_of(*names)}` must be a whole number of at least {least}, not {found!r}"
            )
            return None
        return int(found)

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

    def name_of(self, *names: str) -> str:
        """Return which of some keys is there."""
        return next((name for name in names if self.config.get(name) is not None), names[0])

    @property
    def unused(self) -> tuple[str, ...]:
        """Keys that nothing read, sorted."""
        return tuple(sorted(set(self.config) - self.used))


def _whole(value: object) -> bool:
    """Return whether a JSON value is a whole number, also where it is written 1.0."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
