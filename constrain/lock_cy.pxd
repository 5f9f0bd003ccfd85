# The C-level face of `EngineLock`.
cdef class EngineLock:
    cdef long _owner
    cdef Py_ssize_t _depth
    cdef Py_ssize_t _n_waiting
    cdef object _gate
    cpdef int enter(self)
    cpdef int leave(self)
    cdef int _wait(self)
