"""The data types of the library are those of the core."""

from __future__ import annotations

from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.session import Session
from tests.support.paths import STD

PATH = STD / "dtypes.accel"


def test_the_library_and_the_core_agree_on_data_types():
    program, problems = Session.open().load(str(PATH))
    assert program is not None and problems == ()
    found = {
        item.name: item.attributes()["bits"].value.magnitude * 8 for item in program.definitions("dtype")
    }
    assert found == dict(DTYPE_BITS)
