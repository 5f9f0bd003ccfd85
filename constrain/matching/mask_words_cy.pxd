# The C-level face of `MaskWords`.
from constrain.matching.walks_cy cimport WalkTrie


cdef class MaskWords:
    cdef readonly Py_ssize_t n_words
    cdef object _array
    cdef bytearray _memory
    cdef unsigned int* words
    cdef bytearray filter
    cpdef int clear(self)
    cpdef int allow(self, object tokens)
    cdef int _clear(self)
    cdef int _copy(self, bytes mask)
    cdef int _add(self, bytes mask)
    cdef bytes _packed(self)
    cdef int _emit(self, WalkTrie walk, int entry)
    cdef int _erase(self, WalkTrie walk, int entry)
    cdef int _emit_node(self, WalkTrie walk, int node)
