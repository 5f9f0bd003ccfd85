"""The language layer twice: as installed, and from the Python sources of its compiled modules."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.uncompiled import SourceFinder

__all__ = ["BUILDS", "Build", "accepts", "builds"]


@dataclass(frozen=True)
class Build:
    """The constructors of one build."""

    name: str
    languages: Any
    lazy_dfa: Any


def _load(name: str) -> Build:
    languages = importlib.import_module("constrain.automata.languages_cy")
    lazy_dfa = importlib.import_module("constrain.automata.lazy_dfa_cy")
    return Build(name, languages.Languages, lazy_dfa.LazyDfa)


def _from_sources() -> Build:
    """Import the automata anew behind a finder of sources, and put the others back."""
    hidden = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("constrain.automata")
    }
    sys.meta_path.insert(0, SourceFinder)  # type: ignore[arg-type]
    try:
        return _load("sources")
    finally:
        sys.meta_path.remove(SourceFinder)  # type: ignore[arg-type]
        for name in list(sys.modules):
            if name.startswith("constrain.automata"):
                del sys.modules[name]
        sys.modules.update(hidden)
        for name, module in hidden.items():
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, module)


BUILDS = [_load("installed"), _from_sources()]
builds = pytest.mark.parametrize("build", BUILDS, ids=[build.name for build in BUILDS])


def accepts(automaton: Any, text: str | bytes) -> bool:
    """Whether a lazy automaton takes the text."""
    state = automaton.start
    for byte in text.encode() if isinstance(text, str) else text:
        if state < 0:
            return False
        state = automaton.step(state, byte)
    return state >= 0 and bool(automaton.accepting(state))
