"""What a regular expression matches, by trying every position: slow, and plain to see.

Engines that backtrack fail on nested loops over parts that may be empty; this one has sets of
positions instead. It reads the tree of the parser, so it is no check of the syntax.
"""

from constrain.frontends.json_schema import ecma_regex
from constrain.frontends.json_schema.code_points import WORD


def finds(pattern: str, text: str) -> bool:
    """Return whether a match is found anywhere in `text`."""
    tree = ecma_regex.parse(pattern, location="#")
    return any(_ends(tree, text, start) for start in range(len(text) + 1))


def _ends(node: ecma_regex.Node, text: str, start: int) -> set[int]:
    """Return where the matches that begin at `start` may end."""
    if isinstance(node, ecma_regex.Literal):
        return {start + len(node.text)} if text.startswith(node.text, start) else set()
    if isinstance(node, ecma_regex.Characters):
        inside = start < len(text) and any(low <= ord(text[start]) <= high for low, high in node.ranges)
        return {start + 1} if inside else set()
    if isinstance(node, ecma_regex.Sequence):
        ends = {start}
        for item in node.items:
            ends = {end for middle in ends for end in _ends(item, text, middle)}
        return ends
    if isinstance(node, ecma_regex.Alternatives):
        return {end for item in node.items for end in _ends(item, text, start)}
    if isinstance(node, ecma_regex.Repeat):
        ends = {start}
        found = set(ends) if node.low == 0 else set()
        seen: set[frozenset[int]] = set()
        count = 0
        while (node.high is None or count < node.high) and (count < node.low or frozenset(ends) not in seen):
            seen.add(frozenset(ends))
            ends = {end for middle in ends for end in _ends(node.item, text, middle)}
            count += 1
            if count >= node.low:
                found |= ends
        return found
    return {start} if _holds(node, text, start) else set()


def _holds(node: ecma_regex.Node, text: str, position: int) -> bool:
    if isinstance(node, ecma_regex.Start):
        return position == 0
    if isinstance(node, ecma_regex.End):
        return position == len(text)
    if isinstance(node, ecma_regex.Boundary):
        return (_is_word(text, position - 1) != _is_word(text, position)) != node.negative
    assert isinstance(node, ecma_regex.Look)
    if node.ahead:
        return bool(_ends(node.item, text, position)) != node.negative
    found = any(position in _ends(node.item, text, start) for start in range(position + 1))
    return found != node.negative


def _is_word(text: str, position: int) -> bool:
    return 0 <= position < len(text) and any(low <= ord(text[position]) <= high for low, high in WORD)
