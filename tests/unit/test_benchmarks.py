"""What is told of speed comes from the committed results."""

from __future__ import annotations

import json

from benchmarks import engines, figures
from benchmarks.reports import RESULTS, ROOT


def test_the_table_of_the_readme_is_made_from_the_results() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert figures.with_table(readme, figures.readme_table()) == readme


def test_every_result_names_its_claim_its_commit_and_its_versions() -> None:
    found = [*sorted(RESULTS.glob("*_speed*.json")), RESULTS / "apply_mask.json"]
    assert len(found) >= 3
    for path in found:
        report = json.loads(path.read_text(encoding="utf-8"))
        assert report["claim"].startswith("Claim: ")
        assert report["commit"]
        assert "constrain" in report["versions"]
        assert report["machine"]["cores"]


def test_every_engine_of_the_benchmarks_is_in_the_extra() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    bench = project.split("bench = [")[1].split("]")[0]
    for name in engines.NAMES[1:]:
        assert f'"{name}' in bench
