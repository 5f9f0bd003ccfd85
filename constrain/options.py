"""Options: which texts of a valid value count as documents, and the budgets of compilation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from constrain.errors import ConstrainError

__all__ = ["ANY_TEXT", "Options"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "whitespace": ("bounded", "any", "compact"),
    "property_order": ("any", "schema"),
    "escapes": ("minimal", "any"),
    "numbers": ("bounded", "any"),
    "formats": ("assert", "annotate"),
    "content": ("annotate", "assert"),
    "dialect": ("2020-12", "2019-09", "7", "6", "4"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The text policy, the reading of the schema, and the budgets.

    Attributes:
        whitespace: what may stand between JSON tokens. `"bounded"`: a run of at most 64 bytes
            of space and tab with at most 2 line ends, one leading run, none trailing. `"any"`:
            what RFC 8259 allows, also trailing. `"compact"`: nothing.
        property_order: `"any"`, or `"schema"`: the order in which the schema declares them.
        escapes: `"minimal"`: raw UTF-8, with `\\" \\\\ \\b \\f \\n \\r \\t` and lower-case
            `\\u00xx` for the other control characters. `"any"`: every spelling of RFC 8259.
        numbers: `"bounded"` caps redundant digits and exponents, never a digit that a constant
            or a bound of the schema needs, and admits no number that a double reads as infinity
            unless a constant lies there. `"any"`: every JSON number.
        formats: `"assert"` enforces `format`, `"annotate"` ignores it as draft 2020-12 does by default.
        content: `"annotate"` ignores `contentEncoding`, as every draft does by default, `"assert"`
            enforces it; `contentMediaType` and `contentSchema` are annotations.
        dialect: the draft of a schema without `$schema`.
        max_states: how many automaton states one constraint may create.
        max_mask_bytes: how many bytes of cached masks one constraint may keep per vocabulary.
        max_steps: how many elementary steps one decision (emptiness, feasibility) may take.
        max_seconds: how long one decision may take; what follows a key or an item is one.
    """

    whitespace: Literal["bounded", "any", "compact"] = "bounded"
    property_order: Literal["any", "schema"] = "any"
    escapes: Literal["minimal", "any"] = "minimal"
    numbers: Literal["bounded", "any"] = "bounded"
    formats: Literal["assert", "annotate"] = "assert"
    content: Literal["annotate", "assert"] = "annotate"
    dialect: Literal["2020-12", "2019-09", "7", "6", "4"] = "2020-12"
    max_states: int = 500_000
    max_mask_bytes: int = 64 * 1024 * 1024
    max_steps: int = 1_000_000
    max_seconds: float = 5.0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ConstrainError(
                    f"{value!r} is not an option",
                    keyword=name,
                    remedy="one of " + ", ".join(repr(choice) for choice in choices),
                )
        for name in ("max_states", "max_mask_bytes", "max_steps"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConstrainError(f"{value!r} is not a positive integer", keyword=name)
        if not isinstance(self.max_seconds, int | float) or not self.max_seconds > 0:
            raise ConstrainError(f"{self.max_seconds!r} is not a positive number", keyword="max_seconds")


#: The instance that takes every JSON text whose value is valid; conformance suites run under it.
ANY_TEXT = Options(whitespace="any", escapes="any", numbers="any")
