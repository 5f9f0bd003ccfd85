"""Combinators for languages that are written as the grammars of RFCs."""

from __future__ import annotations

from collections.abc import Callable

from constrain.automata.languages_cy import Language, Languages

__all__ = ["ALPHA", "DIGIT", "HEX", "Grammar", "Rule"]

ALPHA = "A-Za-z"
DIGIT = "0-9"
HEX = "0-9A-Fa-f"

#: A format or a part of one: what makes its language.
Rule = Callable[["Grammar"], Language]


class Grammar:
    """The operations of one arena under short names; a `str` operand is that text."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages

    def _language(self, operand: Language | str) -> Language:
        return self.languages.literal(operand.encode()) if isinstance(operand, str) else operand

    def one(self, *classes: str) -> Language:
        """Return one character of the classes, each written like `A-Za-z_`; a dash comes first."""
        ranges = []
        for text in classes:
            position = 0
            while position < len(text):
                low = high = ord(text[position])
                if position + 2 < len(text) and text[position + 1] == "-":
                    high = ord(text[position + 2])
                    position += 2
                position += 1
                ranges.append((low, high))
        return self.languages.characters(ranges)

    def seq(self, *operands: Language | str) -> Language:
        """Return the operands one after the other."""
        return self.languages.concat(*[self._language(operand) for operand in operands])

    def alt(self, *operands: Language | str) -> Language:
        """Return one of the operands."""
        return self.languages.union(*[self._language(operand) for operand in operands])

    def opt(self, *operands: Language | str) -> Language:
        """Return the sequence of the operands, or nothing."""
        return self.languages.repeat(self.seq(*operands), 0, 1)

    def some(self, *operands: Language | str) -> Language:
        """Return any number of times the sequence of the operands."""
        return self.languages.repeat(self.seq(*operands), 0, None)

    def many(self, *operands: Language | str) -> Language:
        """Return at least once the sequence of the operands."""
        return self.languages.repeat(self.seq(*operands), 1, None)

    def times(self, low: int, high: int, *operands: Language | str) -> Language:
        """Return `low` to `high` times the sequence of the operands."""
        return self.languages.repeat(self.seq(*operands), low, high)

    def both(self, *operands: Language) -> Language:
        """Return what is in every operand."""
        return self.languages.intersection(*operands)

    def numbers(self, low: int, high: int, width: int) -> Language:
        """Return the numbers from `low` to `high` in `width` digits."""
        if width == 1:
            return self.one(f"{low}-{high}")
        size: int = 10 ** (width - 1)
        parts = []
        for digit in range(low // size, high // size + 1):
            first = low % size if digit == low // size else 0
            last = high % size if digit == high // size else size - 1
            parts.append(self.seq(str(digit), self.numbers(first, last, width - 1)))
        return self.alt(*parts)

    def rule(self, rule: Rule) -> Language:
        """Return the language of a rule, made once per arena."""
        known = self.languages.cache.get(rule)
        if known is None:
            known = rule(self)
            self.languages.cache[rule] = known
        return known
