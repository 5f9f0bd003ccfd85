# The C-level face of `MaskWords`.
from constrain.matching.walks_cy cimport WalkTrie


cdef class KeptMask:
    cdef readonly bytes words
    cdef readonly bytes log


cdef class MaskWords:
    cdef int _begin_words(self, Py_ssize_t n_words)
    cdef readonly Py_ssize_t n_words
    cdef object _array
    cdef bytearray _memory
    cdef unsigned int* words
    cdef bytearray filter
    cdef bytes _first
    cdef int _n_logged
    cdef bytearray _log_memory
    cdef int* _log
    cpdef int clear(self)
    cpdef int allow(self, object tokens)
    cdef int _clear(self)
    cdef int _copy(self, bytes mask)
    cdef int _intersect(self, bytes mask)
    cdef KeptMask _keep(self)
    cdef int _copy_kept(self, KeptMask mask)
    cdef int _write_to(self, KeptMask mask, unsigned int* target)
    cdef int _note(self, int token) noexcept
    cdef bytes _packed(self)
    cdef int _emit(self, WalkTrie walk, int entry)
    cdef int _erase(self, WalkTrie walk, int entry)
    cdef int _emit_node(self, WalkTrie walk, int node)
