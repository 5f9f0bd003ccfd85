# The C-level face of `ObjectFace`.
cdef class ObjectFace:
    cdef public bint simple
    cdef public bint in_any_order
    cdef public object needed
    cdef public Py_ssize_t low
    cdef public Py_ssize_t high
    cdef public object offered
    cdef public tuple rest
    cdef public dict named
    cdef public object free
    cdef object _blocked
    cdef tuple _offer
    cpdef int closes_at_once(self, object present, Py_ssize_t count)
    cpdef object offer_at_once(self, object blocked, Py_ssize_t count)
    cpdef int continues_after(self, object blocked, Py_ssize_t count, int name)
