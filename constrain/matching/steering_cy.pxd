# The C-level face of `Steering`.
from constrain.matching.session_cy cimport Session


cdef class Steering:
    cdef Session _session
    cdef Py_ssize_t _budget
    cdef object _plan
