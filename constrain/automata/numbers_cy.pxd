# The C-level face of `Position` and `NumberAutomaton`.
from constrain.automata.number_sets_cy cimport Figures, Lattices
from constrain.automata.table_cy cimport TableAutomaton


cdef class Position:
    cdef readonly int phase
    cdef readonly int side
    cdef readonly Figures figures
    cdef readonly int places


cdef class NumberAutomaton(TableAutomaton):
    cdef Lattices _lattices
    cdef bint _bounded
    cdef object _verdict
    cdef object _textual
    cdef object _zero
    cdef tuple _sides
    cdef int _negative
    cdef readonly object _caps
    cdef Py_ssize_t _most_whole
    cdef Py_ssize_t _most_places
    cdef list _positions
    cdef dict _states
    cdef dict _exponents
    cpdef int expand(self, int state, int byte) except? -3
    cdef int _state_at(self, Position position)
    cdef object _verdict_at(self, Position position)
    cdef int _after_zero(self, Position position)
    cdef Position _after_digit(self, Position position, int byte)
