"""One pass over packed masks and logits in memory: what no bit allows becomes minus infinity.

Words of the mask that are full, empty or nearly full go fast; in others each bit decides about its item, in
a loop that a compiler turns into vector instructions.
"""

from __future__ import annotations

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


#: Logits of so many bytes are expected in a cache.
_NEAR = 2_000_000
#: What the bits of a word are tested with, side by side.
_TESTS = b"".join((1 << bit).to_bytes(4, "little") for bit in range(32))
#: What four items of two bytes keep, by four bits.
_KEPT = b"".join(
    b"".join(b"\xff\xff" if bits >> bit & 1 else b"\0\0" for bit in range(4)) for bits in range(16)
)


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
    tests = cython.cast(cython.p_uint, cython.cast(cython.p_char, cython.cast(bytes, _TESTS)))
    kept = cython.cast(cython.p_ulonglong, cython.cast(cython.p_char, cython.cast(bytes, _KEPT)))
    places = cython.cast(cython.p_uchar, cython.cast(bytes, _PLACES))
    is_near: cython.bint = rows * size * bytes_each <= _NEAR
    few: cython.uint = 5 if is_near else 3
    # A word of items of two bytes is one line: in memory that no cache holds, to leave some out
    # costs more than to touch all in order.
    in_order: cython.bint = not is_near and bytes_each == 2
    with cython.nogil:
        for row in range(rows):
            _mask_row(
                items + row * step,
                size,
                words + row * mask_step,
                count,
                bytes_each,
                value,
                tests,
                kept,
                places,
                few,
                in_order,
            )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_full(words: cython.p_uint, k: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
    """Return whether all words of the four around one are full; not at the end."""
    k = k & ~cython.cast(cython.Py_ssize_t, 3)
    if k + 4 > end:
        return False
    return words[k] & words[k + 1] & words[k + 2] & words[k + 3] == cython.cast(cython.uint, 0xFFFFFFFF)


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
    tests: cython.p_uint,
    kept: cython.p_ulonglong,
    places: cython.p_uchar,
    few: cython.uint,
    in_order: cython.bint,
) -> cython.void:
    whole: cython.ulonglong = value
    word: cython.uint
    empty: cython.uint
    bits: cython.uint
    k: cython.Py_ssize_t
    place: cython.Py_ssize_t
    j: cython.int
    full: cython.Py_ssize_t = min(width // 32, n_words)
    here: cython.p_ulonglong
    keep: cython.ulonglong
    if item_size == 2:
        whole |= whole << 16
    if item_size <= 4:
        whole |= whole << 32
    for k in range(full):
        word = words[k]
        empty = ~word
        if in_order:
            if _is_full(words, k, full):
                continue
        elif empty == 0:
            continue
        if word == 0:
            here = cython.cast(cython.p_ulonglong, items + 32 * k * item_size)
            for j in range(4 * item_size):
                here[j] = whole
            continue
        if item_size > 2 and _count(empty) <= few:
            # So few are written one by one.
            while empty != 0:
                bits = (empty & (~empty + 1)) * cython.cast(cython.uint, 0x077CB531)
                _write(items, 32 * k + places[bits >> 27], item_size, value)
                empty &= empty - 1
            continue
        if item_size == 4:
            _choose_words(
                cython.cast(cython.p_uint, items) + 32 * k, word, tests, cython.cast(cython.uint, value)
            )
        elif item_size == 2:
            here = cython.cast(cython.p_ulonglong, items + 64 * k)
            for j in range(8):
                keep = kept[word >> (4 * j) & 15]
                here[j] = (here[j] & keep) | (whole & ~keep)
        else:
            here = cython.cast(cython.p_ulonglong, items + 32 * k * item_size)
            for j in range(32):
                here[j] = here[j] if word >> j & 1 else value
    for place in range(32 * full, width):
        k = place >> 5
        if k >= n_words or not words[k] >> (place & 31) & 1:
            _write(items, place, item_size, value)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _choose_words(
    items: cython.p_uint, word: cython.uint, tests: cython.p_uint, value: cython.uint
) -> cython.void:
    j: cython.int
    for j in range(32):
        items[j] = items[j] if word & tests[j] != 0 else value


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
