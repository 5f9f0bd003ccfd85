# The C-level face of `Language` and `Languages`.
cdef class Language:
    cdef readonly Py_ssize_t number
    cdef readonly int kind
    cdef readonly bint nullable
    cdef readonly bint inhabited
    cdef readonly object cuts
    cdef readonly int phases
    cdef readonly int envelope
    cdef readonly Language first
    cdef readonly Language second
    cdef readonly tuple items
    cdef readonly object low
    cdef readonly object high
    cdef readonly object payload
    cdef int emptiness
    cdef dict steps
    cdef Language older
    cdef public object lengths
    cdef public object least


cdef class Languages:
    cdef readonly Py_ssize_t size
    cdef public object tick
    cdef readonly Py_ssize_t max_nodes
    cdef readonly Py_ssize_t max_steps
    cdef readonly Language nothing
    cdef readonly Language empty
    cdef readonly Language any_character
    cdef readonly Language any_text
    cdef readonly Language marked_text
    cdef readonly dict cache
    cdef dict _occurring
    cdef Language _newest
    cdef dict _table
    cdef dict _words
    cdef dict _segments
    cdef dict _before
    cdef int _close(self)
    cdef Language _make(self, object key, int kind, bint nullable, object cuts, int phases, bint inhabited)
    cdef Language _byte_set(self, object mask)
    cdef Language _cons(self, Language head, Language tail)
    cdef Language _concat(self, Language head, Language tail)
    cdef Language _repetition(self, Language item, object low, object high)
    cdef Language _union(self, list[Language] items, int depth)
    cdef object _merge_repetitions(self, object members, object mask, bint with_empty)
    cdef Language _intersection(self, list[Language] items)
    cdef Language _difference(self, Language minuend, Language subtrahend)
    cdef Language _word_range(self, tuple[bytes, ...] words, Py_ssize_t low, Py_ssize_t high, Py_ssize_t depth)
    cdef Language _word_step(self, Language node, int byte)
    cdef Language _machine(self, object machine, object state)
    cdef int _absorb(self, object members)
    cdef bint _settle(self, Language node)
    cdef int _phases_before(self, Language head, int phases)
    cdef Language _known(self, Language node, int byte)
    cdef Language _step(self, Language node, int byte, list[Language] pending)
    cpdef Language derivative(self, Language language, int byte)
    cpdef bint is_empty(self, Language language)
    cpdef object segments(self, object cuts)
