# The C-level face of `Goal` and `Frame`.
cimport cython

from constrain.automata.table_cy cimport TableAutomaton
from constrain.matching.name_set_cy cimport NameSet


cdef class Goal:
    cdef readonly object machine
    cdef readonly object formula
    cdef readonly tuple tracked
    cdef int known_kinds
    cdef int kinds
    cdef int _lone_types
    cdef readonly TableAutomaton text
    cdef readonly int text_low
    cdef readonly int text_high
    cdef readonly int text_tail
    cdef public bint text_universal
    cdef bytearray _lengths
    cdef readonly TableAutomaton number
    cdef object _object
    cdef object _array
    cdef dict _literal_outcomes
    cpdef bint offers(self, int kind)
    cdef int _glance(self)
    cdef int _prepare(self, int kind)
    cpdef int lone_types(self)
    cdef int _find_lengths(self, int state, Py_ssize_t length, Py_ssize_t width)
    cpdef bint has_length(self, int state, Py_ssize_t length)
    cpdef bint is_far(self, Py_ssize_t length, Py_ssize_t most)


cdef class FrameGraph:
    cdef readonly Py_ssize_t serial
    cdef Py_ssize_t size
    cdef readonly Frame root


@cython.no_gc
cdef class Frame:
    cdef readonly Frame parent
    cdef readonly int kind
    cdef readonly object shape
    cdef readonly object present
    cdef readonly object blocked
    cdef readonly NameSet names
    cdef readonly Py_ssize_t n_names
    cdef readonly Py_ssize_t count
    cdef readonly object entry
    cdef readonly Py_ssize_t depth
    cdef readonly bint captures
    cdef readonly object key
    cdef readonly object members
    cdef readonly FrameGraph graph
    cdef readonly int number
    cdef object _first_key
    cdef Frame _first
    cdef dict _links
    cdef Frame _object_child
    cdef Frame _array_child
    cdef int _closable
    cdef tuple _offer
    cdef object _item
    cdef bint _item_known
    cdef bytes _offered
    cdef bytes _mark
    cdef bytes mark(self)
    cdef Frame _linked(self, object key)
    cdef Frame _link(self, object key, Frame following)
    cdef bint _enroll(self, Frame following)
    cpdef bint closable(self)
    cpdef tuple offer(self)
    cpdef bytes offered(self)
    cpdef object named_entry(self, object name)
    cpdef object free_entry(self, object vector)
    cpdef Frame with_named_key(self, object name)
    cpdef object item(self)
    cpdef bint continuable(self)
    cpdef Frame after_value(self, object outcome, object value)
    cpdef object value(self)


cpdef Frame child_frame(Frame parent, int kind, Goal goal)
