"""What every result says about itself: claim, date, commit, machine, versions."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import constrain

__all__ = ["RESULTS", "ROOT", "describe"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def describe(claim: str | None, packages: list[str]) -> dict[str, Any]:
    """Return the head of a report.

    Args:
        claim: the docstring of the script; its first line counts.
        packages: whose versions matter, beside this one; those that are not installed are left out.
    """
    built = "compiled" if constrain.COMPILED else "uncompiled"
    versions = {"constrain": f"{constrain.__version__} ({built})"}
    for name in (*packages, "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    head: dict[str, Any] = {
        "claim": claim.splitlines()[0] if claim else "",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": _machine(),
        "versions": versions,
    }
    machine = head["machine"]
    head["summary"] = (
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}; "
        f"commit {head['commit']}, "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; {head['date']}."
    )
    return head


def _machine() -> dict[str, object]:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
