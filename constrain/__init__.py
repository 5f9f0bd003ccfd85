"""Exact constrained generation: JSON Schema and knowledge graphs as token masks.

In reading order:

    compile             a source -> `Constraint` (`frontends/`: what the source means)
    compile_tool_call   functions -> a constraint whose documents are calls
    Constraint          accepts, explains, exemplifies; makes matchers (`constraint.py`)
    ConstraintCache     constraints that are warm after a restart (`warm_start.py`)
    Options, ANY_TEXT   which texts of a valid value count (`options.py`)
    Vocabulary          token id -> bytes, for any tokenizer (`vocabulary/`)
    Matcher             one sequence: masks, advance, rollback (`matching/`, `automata/`)
    LogitsProcessor     the mask inside `transformers.generate` (`models/`, needs torch)
    load, generate      a model that writes documents (`models/`)
    ConstrainError      the root of all errors (`errors.py`)

Torch and transformers are imported when the names that need them are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constrain.api import (
    compile,
    compile_json_schema,
    compile_python_type,
    compile_rules,
    compile_tool_call,
    compile_xml_schema,
)
from constrain.automata.table_cy import COMPILED
from constrain.constraint import Constraint
from constrain.errors import (
    ConstrainError,
    GenerationError,
    KnowledgeError,
    LimitExceeded,
    SchemaError,
    UnsatisfiableError,
    UnsupportedError,
    VocabularyError,
)
from constrain.matching.matcher_cy import Matcher, fill_bitmasks
from constrain.options import ANY_TEXT, Options
from constrain.vocabulary import Vocabulary
from constrain.warm_start import ConstraintCache

if TYPE_CHECKING:
    from constrain.knowledge import Graph, load_graph
    from constrain.models import LogitsProcessor, Model, Result, generate, load

__version__ = "0.1.0"

__all__ = [
    "ANY_TEXT",
    "COMPILED",
    "ConstrainError",
    "Constraint",
    "ConstraintCache",
    "GenerationError",
    "Graph",
    "KnowledgeError",
    "LimitExceeded",
    "LogitsProcessor",
    "Matcher",
    "Model",
    "Options",
    "Result",
    "SchemaError",
    "UnsatisfiableError",
    "UnsupportedError",
    "Vocabulary",
    "VocabularyError",
    "__version__",
    "compile",
    "compile_json_schema",
    "compile_python_type",
    "compile_rules",
    "compile_tool_call",
    "compile_xml_schema",
    "fill_bitmasks",
    "generate",
    "load",
    "load_graph",
]

_LATE = {
    "Graph": "constrain.knowledge",
    "load_graph": "constrain.knowledge",
    "LogitsProcessor": "constrain.models",
    "Model": "constrain.models",
    "Result": "constrain.models",
    "generate": "constrain.models",
    "load": "constrain.models",
}


def __getattr__(name: str) -> Any:
    module = _LATE.get(name)
    if module is None:
        raise AttributeError(f"module 'constrain' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value
