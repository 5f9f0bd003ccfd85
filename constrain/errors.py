"""The error types: data first, text made on demand.

Every error that `constrain` raises on purpose is a `ConstrainError`. Its fields are the
interface; the sentence a person reads is assembled in `__str__`.
"""

from __future__ import annotations

__all__ = [
    "ConstrainError",
    "GenerationError",
    "KnowledgeError",
    "LimitExceeded",
    "SchemaError",
    "UnsatisfiableError",
    "UnsupportedError",
    "VocabularyError",
]


class ConstrainError(Exception):
    """The root of all deliberate errors.

    Attributes:
        reason: what is wrong, one clause without a final full stop.
        location: where it is: a JSON Pointer (`#/properties/a`), or line and path in an XSD;
            `None` when the error has no place in a source.
        keyword: the keyword, facet or option concerned, if there is one.
        remedy: what the caller can do about it, if that is known.
    """

    def __init__(
        self,
        reason: str,
        *,
        location: str | None = None,
        keyword: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.location = location
        self.keyword = keyword
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), dict(self.__dict__)))

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location is not None else ""
        which = f"`{self.keyword}`: " if self.keyword is not None else ""
        what_to_do = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{which}{self.reason}{what_to_do}"


def _rebuild(kind: type[ConstrainError], fields: dict[str, object]) -> ConstrainError:
    error = kind(str(fields["reason"]))
    error.__dict__.update(fields)
    return error


class SchemaError(ConstrainError):
    """The source is malformed: not JSON, a keyword of the wrong type, a reference to nowhere."""


class UnsupportedError(ConstrainError):
    """The source is valid, but this part of it cannot be enforced exactly, so it is refused."""


class UnsatisfiableError(ConstrainError):
    """No document satisfies the constraint.

    Attributes:
        locations: the conflicting places that were cheap to find, `location` first.
    """

    def __init__(
        self,
        reason: str,
        *,
        location: str | None = None,
        keyword: str | None = None,
        remedy: str | None = None,
        locations: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason, location=location, keyword=keyword, remedy=remedy)
        self.locations = locations or ((location,) if location is not None else ())


class KnowledgeError(ConstrainError):
    """A knowledge graph cannot be read, or does not hold what the constraint asks of it."""


class VocabularyError(ConstrainError):
    """A tokenizer cannot be turned into token bytes, or its tokens cannot spell what is needed."""


class LimitExceeded(ConstrainError):
    """A budget of time, states, memory or nesting was met; nothing was weakened instead.

    Attributes:
        limit: the value of the budget that was met, in its own unit.
    """

    def __init__(
        self,
        reason: str,
        *,
        location: str | None = None,
        keyword: str | None = None,
        remedy: str | None = None,
        limit: int | float | None = None,
    ) -> None:
        super().__init__(reason, location=location, keyword=keyword, remedy=remedy)
        self.limit = limit


class GenerationError(ConstrainError):
    """A decoding loop cannot go on: no finite logit is left, or the budget is below any plan."""
