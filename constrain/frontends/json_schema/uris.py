"""URI references: splitting and resolution by RFC 3986, and the steps of a JSON Pointer in a fragment."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["index_of", "pointer_steps", "resolve", "split_fragment"]

# RFC 3986, appendix B, without the fragment: it takes every string.
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(//[^/?]*)?([^?]*)(\?.*)?", re.DOTALL)
#: Where a step `.` or `..` may begin.
_DOTTED = re.compile(r"(?:^|[/:])\.")
_INDEX = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_ESCAPE = re.compile(r"~(?![01])")


def split_fragment(reference: str) -> tuple[str, str]:
    """Return a reference without its fragment, and the fragment decoded."""
    uri, _, fragment = reference.partition("#")
    return uri, unquote(fragment) if "%" in fragment else fragment


def resolve(base: str, reference: str) -> str:
    """Return the URI that a reference without a fragment means relative to a base (RFC 3986, 5.2).

    The base may itself be relative, or empty.
    """
    if not reference:
        return base
    if not base and not _DOTTED.search(reference):
        return reference
    scheme, authority, path, query = _split(reference)
    base_scheme, base_authority, base_path, base_query = _split(base)
    if scheme:
        return _join(scheme, authority, _without_dots(path), query)
    if authority:
        return _join(base_scheme, authority, _without_dots(path), query)
    if not path:
        return _join(base_scheme, base_authority, base_path, query or base_query)
    if not path.startswith("/"):
        folder = base_path[: base_path.rfind("/") + 1]
        path = "/" + path if base_authority and not base_path else folder + path
    return _join(base_scheme, base_authority, _without_dots(path), query)


def pointer_steps(pointer: str) -> list[str] | None:
    """Return the unescaped steps of a JSON Pointer, `None` if it is not one (RFC 6901)."""
    if not pointer:
        return []
    if not pointer.startswith("/") or _ESCAPE.search(pointer):
        return None
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def index_of(step: str) -> int | None:
    """Return the array index that a step of a JSON Pointer is, `None` if it is none."""
    # A longer number is no index of anything, and `int` refuses very long ones.
    return int(step) if len(step) < 20 and _INDEX.fullmatch(step) else None


def _split(uri: str) -> tuple[str, str, str, str]:
    match = _PARTS.fullmatch(uri)
    assert match is not None
    scheme, authority, path, query = match.groups(default="")
    return scheme, authority, path, query


def _join(scheme: str, authority: str, path: str, query: str) -> str:
    return (scheme + ":" if scheme else "") + authority + path + query


def _without_dots(path: str) -> str:
    if "." not in path:
        return path
    kept: list[str] = []
    steps = path.split("/")
    for number, step in enumerate(steps):
        is_last = number == len(steps) - 1
        if step == "..":
            # The empty first step of an absolute path stays.
            if len(kept) > 1 or (kept and kept[0]):
                kept.pop()
            if is_last:
                kept.append("")
        elif step == ".":
            if is_last:
                kept.append("")
        else:
            kept.append(step)
    return "/".join(kept)
