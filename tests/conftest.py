"""What runs: the header says whether the compiled modules are used and whether any is stale."""

from __future__ import annotations

import importlib

from tests.support.builds import stale_modules


def pytest_report_header() -> list[str]:
    try:
        lines = [f"constrain: COMPILED = {importlib.import_module('constrain').COMPILED}"]
    except ImportError as error:
        lines = [f"constrain cannot be imported: {error}"]
    stale = stale_modules()
    if stale:
        lines.append("STALE binaries shadow newer sources (rebuild them): " + ", ".join(stale))
    return lines
