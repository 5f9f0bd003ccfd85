"""Why a token is not allowed: where its bytes leave the constraint, and what is due there."""

from __future__ import annotations

from constrain.matching import modes
from constrain.matching.atoms import ARRAY, KIND_NAMES
from constrain.matching.frames_cy import Goal
from constrain.matching.machine import Machine
from constrain.matching.position_cy import Position

__all__ = ["reason"]


def reason(machine: Machine, position: Position, text: bytes) -> str:
    """Return a sentence about the first byte of `text` that cannot follow `position`."""
    here = position.copy()
    for offset, byte in enumerate(text):
        there = here.copy()
        if not here.step(byte, there):
            read = f" after {text[:offset]!r}" if offset else ""
            return f"{bytes((byte,))!r} cannot come{read}: {_due(machine, here)}"
        here = there
    return "the token is allowed"


def _due(machine: Machine, here: Position) -> str:
    mode = here.mode
    if mode in (modes.VALUE, modes.FIRST_ITEM):
        goal = here.goal if mode == modes.VALUE else None
        if mode == modes.FIRST_ITEM:
            entry = here.frame.item()
            goal = None if entry is None else entry.goal
        if goal is None:
            return "the array must end here"
        kinds = [name for kind, name in enumerate(KIND_NAMES) if goal.offers(kind)]
        return f"a value is due{_where(machine, goal)}: {', '.join(kinds)}"
    if mode == modes.IN_STRING:
        return f"the string would not satisfy its schema{_where(machine, here.goal)}"
    if mode == modes.IN_NUMBER:
        return f"no number that goes on so satisfies its schema{_where(machine, here.goal)}"
    if mode == modes.IN_LITERAL:
        return "a literal has been begun"
    if mode == modes.IN_KEY:
        return "no key that goes on so may follow here; " + _keys(here)
    if mode in (modes.FIRST_KEY, modes.NEXT_KEY):
        return "a key is due; " + _keys(here)
    if mode == modes.COLON:
        return "a colon is due"
    if mode == modes.AFTER_VALUE:
        due = []
        if here.frame.continuable():
            due.append("a comma")
        if here.frame.closable():
            due.append("the end of the " + ("array" if here.frame.kind == ARRAY else "object"))
        missing = "" if here.frame.closable() else "; the container lacks what its schema requires"
        return " or ".join(due) + " is due" + missing
    return "the document is complete"


def _keys(here: Position) -> str:
    names, free, _, _ = here.frame.offer()
    keys = here.frame.shape.keys.names
    offered = [keys[index].decode() for index in range(len(keys)) if names >> index & 1]
    shown = ", ".join(offered[:8]) + (", ..." if len(offered) > 8 else "")
    if free:
        return f"offered are {shown} and other keys" if shown else "offered are keys not written yet"
    return f"offered: {shown}" if shown else "no key is left to offer"


def _where(machine: Machine, goal: Goal) -> str:
    """Return the places of the schema that a goal consists of."""
    formulas = machine.algebra.formulas
    places = []
    for variable in formulas.support(goal.formula):
        place = getattr(formulas.value(variable), "location", None)
        if place is not None:
            places.append(place)
    return f" at {', '.join(places[:4])}" if places else ""
