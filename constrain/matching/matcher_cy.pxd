# The C-level face of `Matcher`.
from constrain.matching.masks_cy cimport MaskBuilder
from constrain.matching.position_cy cimport Policy, Position


cdef class Session:
    cdef readonly object machine
    cdef readonly Policy policy
    cdef readonly object vocabulary
    cdef readonly object lock
    cdef readonly MaskBuilder builder
    cdef readonly tuple eos_ids
    cdef readonly Py_ssize_t size
    cdef object _plain
    cdef dict _encoded


cdef class Matcher:
    cdef readonly Session session
    cdef Position start
    cdef Position here
    cdef Py_ssize_t n_eos
    cdef Py_ssize_t budget
    cdef public dict stats
    cdef object _plan
    cdef Position _after(self, object token)
    cdef bint _is_plain_text(self)
