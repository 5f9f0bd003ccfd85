# The C-level face of `MaskCache`.
from constrain.lock_cy cimport EngineLock


cdef class MaskCache:
    cdef readonly Py_ssize_t max_bytes
    cdef public Py_ssize_t size
    cdef dict _masks
    cdef EngineLock _lock
    cpdef bytes get(self, object key)
    cpdef int put(self, object key, bytes mask)
