# The C-level face of `TokenTrie`, for the other compiled modules. The pointers are owned by the
# arrays of the same name and live as long as the trie; nothing may be written through them.
cdef class TokenTrie:
    cdef readonly object byte
    cdef readonly object depth
    cdef readonly object parent
    cdef readonly object subtree_end
    cdef readonly object token
    cdef readonly object token_low
    cdef readonly object token_high
    cdef readonly object child_start
    cdef readonly object child_node
    cdef readonly object sorted_ids
    cdef readonly object next_same
    cdef readonly object text
    cdef readonly object offset
    cdef readonly Py_ssize_t size
    cdef readonly Py_ssize_t n_nodes
    cdef readonly Py_ssize_t n_sorted
    cdef readonly Py_ssize_t max_depth
    cdef unsigned char* c_byte
    cdef int* c_depth
    cdef int* c_parent
    cdef int* c_subtree_end
    cdef int* c_token
    cdef int* c_token_low
    cdef int* c_token_high
    cdef int* c_child_start
    cdef int* c_child_node
    cdef int* c_sorted_ids
    cdef int* c_next_same
    cdef unsigned char* c_text
    cdef int* c_offset
    cdef int _point(self) except -1
    cdef int _count_nodes(self) except -1
    cdef int _fill(self) except -1
    cdef int _link_children(self) except -1
    cpdef int child(self, int node, int byte) noexcept
