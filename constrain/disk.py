"""The folder of what is kept between runs, and writing into it: completely or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

__all__ = ["cache_folder", "write_whole"]

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return `$CONSTRAIN_CACHE`, or `constrain` in the user's cache folder; it need not exist."""
    chosen = os.environ.get("CONSTRAIN_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "constrain"


def write_whole(path: Path, content: bytes) -> bool:
    """Write a file that readers see whole or not at all; return whether that was possible.

    A cache is an aid, so a folder that cannot be written is told to the log only. The file is
    readable by its owner alone.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        import tempfile  # late: it brings archives and compression along

        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        logger.info("the cache cannot be written: %s", error)
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        return False
    return True
