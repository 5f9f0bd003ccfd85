"""Knowledge graphs: entities with names, and typed relations between them.

In reading order: `graph` is the immutable `Graph` and its queries, `names` reduces a question about a graph
to the set of names that a string field may hold, `formats` reads graphs from JSON Lines and CSV, `shipped`
finds the graphs that come with the project.

    >>> graph = load_graph("finance")
    >>> sorted(graph.names("company/tencent"))
    ['Tencent', 'Tencent Holdings', 'Tencent Holdings Limited', '腾讯', '腾讯控股', '腾讯控股有限公司']
"""

from __future__ import annotations

from constrain.knowledge.formats import load_graph
from constrain.knowledge.graph import Edge, Entity, Graph, Name
from constrain.knowledge.names import NAME_KINDS, entity_set

__all__ = ["NAME_KINDS", "Edge", "Entity", "Graph", "Name", "entity_set", "load_graph"]
