"""The plots and the README's table, made from the committed results and from nothing else.

python -m benchmarks.figures           # draws results/mask_speed.svg, writes the table into README.md
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.mask_speed import KINDS, SHARES
from benchmarks.reports import RESULTS, ROOT

__all__ = ["main", "readme_table", "with_table"]

BEGIN = "<!-- benchmarks: made by `python -m benchmarks.figures` -->"
END = "<!-- /benchmarks -->"
#: Colours by engine, told apart by people who see few of them too.
_COLOURS = {
    "constrain, any text": "#0072b2",
    "constrain, default policy": "#56b4e9",
    "llguidance": "#d55e00",
    "GLRMask": "#009e73",
    "XGrammar": "#cc79a7",
    "outlines-core": "#999999",
    "MaskForge": "#e69f00",
}


def readme_table(folder: Path = RESULTS) -> str:
    """Return the table of the README: every engine over the schemas that it compiles."""
    report = json.loads((folder / "mask_speed.json").read_text())
    lines = [
        f"{report['measured']} real schemas, Llama 3.1 vocabulary ({report['vocabulary']['size']:,} tokens), "
        "one thread, microseconds; *cold*: each schema for the first time, *warm*: again, with other "
        "instances.",
        "",
        "| engine | schemas | first mask cold p50 / p99 | between masks cold mean / p50 / p99 "
        "| between masks warm mean / p50 / p99 |",
        "|---|---|---|---|---|",
    ]
    for name, engine in report["engines"].items():
        cells = [
            " / ".join(
                f"{engine[key][column]:,.{1 if engine[key][column] < 100 else 0}f}" for column in columns
            )
            if engine[key]
            else ""
            for key, columns in (
                ("first_cold", ("p50", "p99")),
                ("between_cold", ("mean", "p50", "p99")),
                ("between_warm", ("mean", "p50", "p99")),
            )
        ]
        lines.append(f"| {name} | {engine['schemas']} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "[benchmarks/](benchmarks/) has the protocol, the tails and what else is measured; "
        f"{report['summary']}",
    ]
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """Return the README with the table in its place."""
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def _draw(report: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "constrain"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(11, 8), sharex=True)
    for axis, (key, title, _) in zip(axes.flat, KINDS, strict=True):
        for name, engine in report["engines"].items():
            curve = engine["curves"][key]
            if curve:
                width = 2.2 if name.startswith("constrain") else 1.3
                axis.plot(SHARES, curve, label=name, color=_COLOURS.get(name), linewidth=width)
        axis.set_title(title)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.grid(True, which="major", alpha=0.3)
        axis.set_ylabel("microseconds")
    axes[0][0].invert_xaxis()
    for axis in axes[1]:
        axis.set_xlabel("share of masks that take longer")
    axes[0][0].legend(fontsize="small")
    figure.suptitle(f"{report['measured']} schemas, {report['vocabulary']['size']:,} tokens: the tails")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    for source in sorted(RESULTS.glob("mask_speed*.json")):
        _draw(json.loads(source.read_text()), source.with_suffix(".svg"))
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text(), readme_table()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
