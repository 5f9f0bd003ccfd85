"""One pass over packed masks and logits in memory: what no bit allows becomes minus infinity.

A byte of a mask stands for eight items. They are combined with two tables, what to keep and what to
fill in, eight bytes at a time; words of the mask that are full, empty or nearly full go faster.
"""

from __future__ import annotations

import functools

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

__all__ = ["mask_rows"]

#: Where the lowest bit is, by the top five bits of its product with this constant of de Bruijn.
_DE_BRUIJN = 0x077CB531
_PLACES = bytes(
    next(place for place in range(32) if (_DE_BRUIJN << place & 0xFFFFFFFF) >> 27 == top) for top in range(32)
)


@functools.cache
def _tables(item_size: int, infinity: int) -> tuple[bytes, bytes]:
    """Return for each byte of a mask what eight items keep, and what they get."""
    ones, zeros = b"\xff" * item_size, b"\0" * item_size
    value = infinity.to_bytes(item_size, "little")
    places = [(byte, bit) for byte in range(256) for bit in range(8)]
    kept = b"".join(ones if byte >> bit & 1 else zeros for byte, bit in places)
    filled = b"".join(zeros if byte >> bit & 1 else value for byte, bit in places)
    return kept, filled


def mask_rows(
    logits: int,
    stride: int,
    width: int,
    mask: int,
    mask_stride: int,
    n_words: int,
    n_rows: int,
    item_size: int,
    infinity: int,
) -> None:
    """Overwrite the items whose bits are 0 in rows of logits.

    Args:
        logits: address of the first item.
        stride: items from one row to the next.
        width: items of a row; those beyond the last word are overwritten too.
        mask: address of the first word; uint32 on a little-endian machine, lowest bit first.
        mask_stride: words from one row to the next, 0 if one row serves all.
        n_words: words of a row.
        n_rows: how many rows.
        item_size: bytes of an item: 2, 4 or 8.
        infinity: the bits of minus infinity in an item.
    """
    if not cython.compiled:
        raise NotImplementedError("the addresses of memory are for compiled code")
    kept, filled = _tables(item_size, infinity)
    row: cython.Py_ssize_t
    rows: cython.Py_ssize_t = n_rows
    items = cython.cast(cython.p_char, cython.cast(cython.size_t, logits))
    words = cython.cast(cython.p_uint, cython.cast(cython.size_t, mask))
    step: cython.Py_ssize_t = stride * item_size
    mask_step: cython.Py_ssize_t = mask_stride
    size: cython.Py_ssize_t = width
    count: cython.Py_ssize_t = n_words
    bytes_each: cython.int = item_size
    value: cython.ulonglong = infinity
    keep = cython.cast(cython.p_ulonglong, cython.cast(cython.p_char, cython.cast(bytes, kept)))
    fill = cython.cast(cython.p_ulonglong, cython.cast(cython.p_char, cython.cast(bytes, filled)))
    places = cython.cast(cython.p_uchar, cython.cast(bytes, _PLACES))
    with cython.nogil:
        for row in range(rows):
            _mask_row(
                items + row * step,
                size,
                words + row * mask_step,
                count,
                bytes_each,
                value,
                keep,
                fill,
                places,
            )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _mask_row(
    items: cython.p_char,
    width: cython.Py_ssize_t,
    words: cython.p_uint,
    n_words: cython.Py_ssize_t,
    item_size: cython.int,
    value: cython.ulonglong,
    keep: cython.p_ulonglong,
    fill: cython.p_ulonglong,
    places: cython.p_uchar,
) -> cython.void:
    here: cython.p_ulonglong
    word: cython.uint
    empty: cython.uint
    bits: cython.uint
    k: cython.Py_ssize_t
    place: cython.Py_ssize_t
    byte: cython.int
    j: cython.int
    full: cython.Py_ssize_t = min(width // 32, n_words)
    for k in range(full):
        word = words[k]
        empty = ~word
        if empty == 0:
            continue
        here = cython.cast(cython.p_ulonglong, items + 32 * k * item_size)
        if word == 0:
            for j in range(4 * item_size):
                here[j] = fill[0]
            continue
        if _count(empty) <= 5:
            # So few are written one by one.
            while empty != 0:
                bits = (empty & (~empty + 1)) * cython.cast(cython.uint, 0x077CB531)
                _write(items, 32 * k + places[bits >> 27], item_size, value)
                empty &= empty - 1
            continue
        for byte in range(4):
            bits = item_size * (word >> (8 * byte) & 0xFF)
            here[0] = (here[0] & keep[bits]) | fill[bits]
            here[1] = (here[1] & keep[bits + 1]) | fill[bits + 1]
            if item_size >= 4:
                here[2] = (here[2] & keep[bits + 2]) | fill[bits + 2]
                here[3] = (here[3] & keep[bits + 3]) | fill[bits + 3]
            for j in range(4, item_size):
                here[j] = (here[j] & keep[bits + j]) | fill[bits + j]
            here += item_size
    for place in range(32 * full, width):
        k = place >> 5
        if k >= n_words or not words[k] >> (place & 31) & 1:
            _write(items, place, item_size, value)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _count(word: cython.uint) -> cython.uint:
    """Return how many bits are set."""
    word -= word >> 1 & 0x55555555
    word = (word & 0x33333333) + (word >> 2 & 0x33333333)
    word = (word + (word >> 4)) & 0x0F0F0F0F
    return (word * cython.cast(cython.uint, 0x01010101)) >> 24


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _write(
    items: cython.p_char, place: cython.Py_ssize_t, item_size: cython.int, value: cython.ulonglong
) -> cython.void:
    if item_size == 2:
        cython.cast(cython.p_ushort, items)[place] = cython.cast(cython.ushort, value)
    elif item_size == 4:
        cython.cast(cython.p_uint, items)[place] = cython.cast(cython.uint, value)
    else:
        cython.cast(cython.p_ulonglong, items)[place] = value
