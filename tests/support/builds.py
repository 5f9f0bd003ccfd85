"""Which modules of the package can be compiled, are compiled, and are compiled from older sources."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path

__all__ = ["PACKAGE", "binary_of", "compilable_modules", "stale_modules"]

_SPEC = importlib.util.find_spec("constrain")
assert _SPEC is not None
PACKAGE = Path(next(iter(_SPEC.submodule_search_locations or [])))

#: Archives keep times to two seconds.
_TOLERANCE = 2.0


def compilable_modules() -> list[Path]:
    """The `*_cy.py` sources."""
    return sorted(PACKAGE.rglob("*_cy.py"))


def binary_of(source: Path) -> Path | None:
    """The extension module that this interpreter imports instead of the source, if there is one."""
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        binary = source.with_name(source.stem + suffix)
        if binary.exists():
            return binary
    return None


def stale_modules() -> list[str]:
    """Sources that are newer than their binary; the binary is what runs, so tests would lie."""
    stale = []
    for source in compilable_modules():
        binary = binary_of(source)
        parts = [source, source.with_suffix(".pxd")]
        if binary is not None and any(
            part.exists() and part.stat().st_mtime > binary.stat().st_mtime + _TOLERANCE for part in parts
        ):
            stale.append(str(source.relative_to(PACKAGE.parent)))
    return stale
