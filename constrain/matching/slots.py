"""Members to come as slots with goals: how they can differ from known containers, or from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from constrain.automata.formulas_cy import FALSE
from constrain.matching.algebra import Algebra
from constrain.matching.values import Value

__all__ = ["differing", "distinct_choice"]

Key = TypeVar("Key")


def differing(
    algebra: Algebra,
    is_nonempty: Callable[[int], bool],
    slots: dict[Key, int],
    members: Sequence[Mapping[Key, Value]],
    spend: Callable[[], None],
) -> Iterator[dict[Key, int]]:
    """Yield narrower goals of the slots under which they spell none of `members`.

    Args:
        slots: the goals of all members to come; each of `members` has exactly these keys.
        spend: called at each step of the search; raises when its budget is used up.
    """
    if not members:
        yield slots
        return
    spend()
    formulas = algebra.formulas
    # One slot that differs from all of them is the usual case.
    for key, goal in slots.items():
        narrowed = formulas.ite(algebra.in_values({member[key] for member in members}), FALSE, goal)
        if is_nonempty(narrowed):
            yield {**slots, key: narrowed}
    if len(members) == 1:
        return
    first, rest = members[0], members[1:]
    for key, goal in slots.items():
        narrowed = formulas.ite(algebra.in_values([first[key]]), FALSE, goal)
        if is_nonempty(narrowed):
            yield from differing(algebra, is_nonempty, {**slots, key: narrowed}, rest, spend)


def distinct_choice(choices: Sequence[Sequence[Value]], without: Value | None = None) -> list[Value] | None:
    """Return a different value for each slot, or `None` if there is no such choice (Hall 1935).

    Args:
        choices: the values that each slot can take.
        without: a value that no slot may take.
    """
    owner: dict[Value, int] = {}
    for slot in range(len(choices)):
        if not _augment(choices, slot, owner, without):
            return None
    chosen = {slot: value for value, slot in owner.items()}
    return [chosen[slot] for slot in range(len(choices))]


def _augment(
    choices: Sequence[Sequence[Value]], slot: int, owner: dict[Value, int], without: Value | None
) -> bool:
    """Give `slot` a value, along an augmenting path found breadth first."""
    came: dict[Value, int] = {}
    queue = [slot]
    for here in queue:
        for value in choices[here]:
            if value == without or value in came:
                continue
            came[value] = here
            if value in owner:
                queue.append(owner[value])
                continue
            # Hand the values on, back along the path.
            end: Value | None = value
            while end is not None:
                giver = came[end]
                previous = next((held for held, by in owner.items() if by == giver), None)
                owner[end] = giver
                end = previous
            return True
    return False
