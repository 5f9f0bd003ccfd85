"""Runs a module of the tests with the Python sources of the compiled modules.

    python -m tests.support.uncompiled tests.support.walk_digest 40

A finder at the head of `sys.meta_path` answers for `constrain.*_cy` with the `.py` file beside the
binary, which the ordinary path finder would prefer.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

__all__ = ["SourceFinder", "install"]


class SourceFinder:
    """Finds `*_cy` modules of the package as sources only."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not (name.startswith("constrain.") and name.endswith("_cy")):
            return None
        for folder in path or []:
            source = Path(folder) / (name.rpartition(".")[2] + ".py")
            if source.exists():
                loader = importlib.machinery.SourceFileLoader(name, str(source))
                return importlib.util.spec_from_file_location(name, source, loader=loader)
        return None


def install() -> None:
    """From here on the package runs uncompiled; call it before the first import of `constrain`."""
    if any(name.startswith("constrain.") and name.endswith("_cy") for name in sys.modules):
        raise RuntimeError("constrain is already imported")
    sys.meta_path.insert(0, SourceFinder)


if __name__ == "__main__":
    install()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__")
