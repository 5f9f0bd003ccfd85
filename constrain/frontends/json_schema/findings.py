"""What can be said against a schema that is usable: data, without a sentence made yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RULES", "Finding"]

#: rule -> what it reports, one clause; the rules of SARIF reports and of `docs/command_line.md`.
RULES: dict[str, str] = {
    "duplicate-value": "a value is listed twice",
    "ignored-beside-ref": "in this draft, keywords beside `$ref` are ignored",
    "invalid-default": "the default does not satisfy the schema that it is for",
    "invalid-example": "an example does not satisfy the schema that it is for",
    "keyword-of-other-draft": "the keyword means nothing in the draft of the schema",
    "keyword-of-other-type": "the keyword concerns values that `type` excludes",
    "misspelt-format": "the name is close to that of a format",
    "misspelt-keyword": "the name is close to that of a keyword",
    "orphan-keyword": "the keyword needs another one that is not there",
    "overlapping-alternative": "an alternative can never hold beside the other keywords",
    "redundant-keyword": "the keyword excludes nothing that the others allow",
    "subsumed-alternative": "whatever the alternative accepts is accepted by another one",
    "undeclared-property": "a required property is not declared, but one of a similar name is",
    "undecided": "a check was given up within its budget",
    "unknown-format": "the format is an annotation: JSON Schema does not define it",
    "unknown-keyword": "the keyword is an annotation: JSON Schema does not define it",
    "unreachable-value": "a listed value violates the keywords beside it",
    "unsatisfiable": "no value satisfies a sub-schema",
    "unused-definition": "nothing refers to a definition",
    "vacuous-keyword": "the keyword has a value that excludes nothing",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a schema.

    Attributes:
        rule: a key of `RULES`.
        severity: a warning is probably a mistake, a note is worth knowing.
        location: the JSON Pointer of the sub-schema.
        message: one sentence without a full stop.
        keyword: the keyword of that sub-schema that it is about.
        remedy: what can be done about it.
        related: further places that have part in it.
    """

    rule: str
    severity: Literal["warning", "note"]
    location: str
    message: str
    keyword: str | None = None
    remedy: str | None = None
    related: tuple[str, ...] = ()
