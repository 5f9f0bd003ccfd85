"""The constants that compiled modules read are those of the Python module."""

from __future__ import annotations

import re
from pathlib import Path

from constrain.matching import modes


def test_both_files_say_the_same() -> None:
    text = Path(modes.__file__).with_name("modes.pxd").read_text()
    compiled = {name: int(value) for name, value in re.findall(r"^ {4}(\w+) = (\d+)$", text, re.MULTILINE)}
    assert compiled == {name: getattr(modes, name) for name in modes.__all__}
