# The C-level face of `NameSet`.
cdef class NameSet:
    cdef object _root
    cdef readonly Py_ssize_t size
    cpdef bint has(self, object name)
    cpdef NameSet add(self, object name)
