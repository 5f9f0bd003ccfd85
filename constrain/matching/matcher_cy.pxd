# The C-level face of `Matcher`.
from constrain.matching.position_cy cimport Position
from constrain.matching.session_cy cimport Session
from constrain.matching.steering_cy cimport Steering


cdef class Matcher:
    cdef readonly Session session
    cdef bytes prefix
    cdef Position start
    cdef Position here
    cdef Py_ssize_t n_eos
    cdef Steering steering
    cdef Py_ssize_t n_masks
    cdef Py_ssize_t n_advanced
    cdef Py_ssize_t n_refused
    cdef int _write(self, object bitmask, Py_ssize_t row)
    cdef bint _allows_all(self)
    cdef bint _all_set(self, unsigned int* words)
    cdef object _mask(self)
    cdef int _fill(self)
    cdef bint _goes_on(self, int start, Position behind)
    cdef bytes _forced_text(self, Position here)
