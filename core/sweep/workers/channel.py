"""Messages between two processes over a pair of pipes."""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any

from attrs import define

_LENGTH = struct.Struct(">Q")


@define(eq=False)
class Channel:
    """Sends and receives objects; both processes are ours, so that what is unpickled can be trusted."""

    incoming: IO[bytes]
    outgoing: IO[bytes]

    def send(self, message: object) -> None:
        """Send an object; raise OSError where nobody reads."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        self.outgoing.write(_LENGTH.pack(len(data)) + data)
        self.outgoing.flush()

    def receive(self) -> Any:
        """Return the next object; raise EOFError where the other process is gone."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return pickle.loads(self._exactly(length))

    def close(self) -> None:
        """Close both pipes."""
        for pipe in (self.incoming, self.outgoing):
            try:
                pipe.close()
            except OSError:  # what was not yet sent has no reader any more
                continue

    def _exactly(self, size: int) -> bytes:
        data = self.incoming.read(size)
        if len(data) < size:
            raise EOFError("the other process is gone")
        return data
