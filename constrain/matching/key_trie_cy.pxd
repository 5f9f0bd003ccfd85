# The C-level face of `KeyTrie`.
cdef class KeyTrie:
    cdef readonly list names
    cdef readonly Py_ssize_t n_nodes
    cdef unsigned char* c_byte
    cdef int* c_end
    cdef int* c_low
    cdef int* c_high
    cdef int* c_terminal
    cdef int _fill(self, object path)
    cpdef int child(self, int node, int byte) noexcept
    cpdef bint is_offered(self, int node, bytes flags) noexcept
