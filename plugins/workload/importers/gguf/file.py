"""Reads metadata and tensor table of a GGUF file with the `gguf` package; the weights themselves are not read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from accelscope.core.errors import UsageError

if TYPE_CHECKING:
    from gguf import GGUFReader

_MOST_READS = 8_000_000  # parts of the metadata; a vocabulary of 260,000 tokens has about 1.6 million
_LONG = 256  # a longer list belongs to the tokenizer


@frozen(kw_only=True)
class GgufTensor:
    """One tensor: its name, the name of its type, its sizes (the inner one first), its numbers and its bytes."""

    name: str
    kind: str
    shape: tuple[int, ...]
    elements: int
    bytes: int


@frozen(kw_only=True)
class GgufFile:
    """What is said in front of the weights; lists of the tokenizer are left out."""

    metadata: dict[str, object]
    tensors: tuple[GgufTensor, ...]


def read_gguf_file(path: Path, name: str) -> GgufFile:
    """Return metadata and tensor table of a file.

    Args:
        path: of the file.
        name: how messages call it.

    Raises:
        UsageError: there is no such file, it is no whole GGUF, or the `gguf` package is not installed.
    """
    if not path.is_file():
        why = "it is a directory" if path.is_dir() else "there is no such file"
        raise UsageError(f"cannot read `{name}`: {why}; `import gguf` needs the file of one model")
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise UsageError(
            "`import gguf` needs the package gguf: install it with `pip install 'accelscope[gguf]'`"
        ) from error
    try:
        reader = _bounded(GGUFReader)(path)
        metadata = {key: _contents(field) for key, field in reader.fields.items()}
        tensors = tuple(_tensors(reader))
    except (ValueError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, OSError) as error:
        raise UsageError(f"`{name}` is no whole GGUF file: {_why(error)}") from error
    return GgufFile(
        metadata={key: value for key, value in metadata.items() if value is not None}, tensors=tensors
    )


def _bounded(reader: type[GGUFReader]) -> type[GGUFReader]:
    """Return a reader that stops where a file ends, and after more metadata than any model has.

    GGUFReader takes lengths from the file as they are: a list that claims 2^60 items would keep it busy for ever.
    """

    class Bounded(reader):  # type: ignore[misc, valid-type]
        reads = 0

        def _get(self, offset: int, dtype: Any, count: int = 1, override_order: Any = None) -> Any:
            import numpy as np

            self.reads += 1
            end = int(offset) + np.dtype(dtype).itemsize * int(count)
            if end > len(self.data):
                raise ValueError(
                    f"it ends at byte {len(self.data)}, but goes on to byte {end} by its own words"
                )
            if self.reads > _MOST_READS:
                raise ValueError("its metadata has more parts than those of any model")
            return super()._get(int(offset), dtype, count, override_order)

    return Bounded


def _contents(field: Any) -> object:
    """Return the value of a field; None for a long list."""
    if len(field.data) > _LONG:
        return None
    found: object = field.contents()
    return found


def _tensors(reader: GGUFReader) -> Iterable[GgufTensor]:
    for item in reader.tensors:
        yield GgufTensor(
            name=item.name,
            kind=item.tensor_type.name,
            shape=tuple(int(size) for size in item.shape),
            elements=int(item.n_elements),
            bytes=int(item.n_bytes),
        )


def _why(error: BaseException) -> str:
    text = str(error.args[0]) if error.args else type(error).__name__
    return text[:1].lower() + text[1:]
