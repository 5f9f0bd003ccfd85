"""The runs of blanks between JSON tokens, as a small table."""

from __future__ import annotations

from functools import cache

__all__ = ["MAX_BLANKS", "MAX_LINE_ENDS", "whitespace_table"]

#: The bounded policy: at most this many bytes of space and tab in one run ...
MAX_BLANKS = 64
#: ... and at most this many line ends (LF, CR LF or CR).
MAX_LINE_ENDS = 2

_SPACE, _TAB, _LF, _CR = 0, 1, 2, 3


@cache
def whitespace_table(policy: str) -> list[int]:
    """Return the transitions of a run of blanks: `table[state * 4 + blank]`, -1 if it may not go on.

    State 0 is the empty run; `blank` is 0 for space, 1 for tab, 2 for LF, 3 for CR. The
    table is shared and not to be changed.
    """
    if policy == "compact":
        return [-1] * 4
    if policy == "any":
        return [0] * 4
    width = MAX_BLANKS + 1
    ends = MAX_LINE_ENDS + 1
    table = [-1] * (4 * width * ends * 2)

    def number(blanks: int, line_ends: int, after_cr: bool) -> int:
        return (line_ends * width + blanks) * 2 + after_cr

    for blanks in range(width):
        for line_ends in range(ends):
            for after_cr in (False, True):
                base = number(blanks, line_ends, after_cr) * 4
                if blanks < MAX_BLANKS:
                    table[base + _SPACE] = table[base + _TAB] = number(blanks + 1, line_ends, False)
                if after_cr:
                    # CR LF is one line end.
                    table[base + _LF] = number(blanks, line_ends, False)
                elif line_ends < MAX_LINE_ENDS:
                    table[base + _LF] = number(blanks, line_ends + 1, False)
                if line_ends < MAX_LINE_ENDS:
                    table[base + _CR] = number(blanks, line_ends + 1, True)
    return table
