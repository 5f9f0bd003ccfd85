"""Where the graphs that ship with the project lie.

In a checkout (and an editable installation) that is `knowledge_graphs/` beside the package; an installation
has them under `share/constrain/knowledge_graphs` of its prefix.
"""

from __future__ import annotations

import site
import sysconfig
from pathlib import Path

from constrain.errors import KnowledgeError
from constrain.knowledge.graph import suggestion

__all__ = ["shipped_graph", "shipped_graphs"]


def shipped_graphs() -> dict[str, Path]:
    """The shipped graphs by name."""
    share = Path("share", "constrain", "knowledge_graphs")
    folders = [
        Path(site.getuserbase()) / share,
        Path(sysconfig.get_path("data")) / share,
        Path(__file__).resolve().parents[2] / "knowledge_graphs",
    ]
    return {path.parent.name: path for folder in folders for path in sorted(folder.glob("*/graph.jsonl"))}


def shipped_graph(name: str) -> Path:
    """The file of the shipped graph with this name.

    Raises:
        KnowledgeError: none has it.
    """
    graphs = shipped_graphs()
    if name not in graphs:
        raise KnowledgeError(
            f"no graph {name!r} ships with this installation",
            remedy=suggestion(name, graphs) or "give the path of a *.jsonl file or of a folder with tables",
        )
    return graphs[name]
