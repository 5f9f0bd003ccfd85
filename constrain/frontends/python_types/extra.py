"""The library that Python types need: the extra `types`."""

from __future__ import annotations

from constrain.errors import UnsupportedError

__all__ = ["require_pydantic"]

# Earlier versions write looser schemas: they leave out lengths that a class sets for all of its texts, and
# name fields by aliases that the class does not read.
_LEAST = (2, 14)


def require_pydantic() -> None:
    """Do nothing if pydantic can be used.

    Raises:
        UnsupportedError: it is not installed, or too old to be exact.
    """
    try:
        from pydantic import VERSION
    except ModuleNotFoundError:
        found = "which is not installed"
    else:
        if tuple(map(int, VERSION.split(".")[:2])) >= _LEAST:
            return
        found = f"from version {'.'.join(map(str, _LEAST))} on; {VERSION} is installed"
    raise UnsupportedError(
        f"Python types are read with pydantic, {found}", remedy="pip install 'constrain[types]'"
    )
