"""The command line inside of the process of the tests: arguments in, exit code and streams out."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from attrs import frozen

from accelscope.core.cli.main import main


@frozen
class RunOutcome:
    """What a run of the command line returned and wrote.

    Attributes:
        arguments: of the run.
        code: exit code.
        out: standard output.
        err: standard error.
    """

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    def assert_code(self, code: int, *words: str) -> RunOutcome:
        """Check the exit code, and words that have to be in standard error; return the outcome."""
        assert self.code == code, self.describe()
        for word in words:
            assert word in self.err, self.describe()
        return self

    def assert_success(self) -> RunOutcome:
        """Check that the run ended with 0 and wrote nothing to standard error; return the outcome."""
        self.assert_code(0)
        assert self.err == "", self.describe()
        return self

    def describe(self) -> str:
        """Return everything, for the message of a failed assertion."""
        return (
            f"accelscope {' '.join(self.arguments)} -> {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"
        )


def run_cli(arguments: Sequence[str], text: str | None = None) -> RunOutcome:
    """Run the command line in this process.

    Args:
        arguments: behind the name of the program.
        text: of standard input.
    """
    streams = sys.stdin, sys.stdout, sys.stderr
    stdin, stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(3))
    stdin.buffer.write((text or "").encode())
    stdin.buffer.seek(0)
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
    try:
        main(arguments)
        raise AssertionError("the command line did not exit")
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
    assert isinstance(code, int)
    return RunOutcome(tuple(arguments), code, _written(stdout), _written(stderr))


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
