# The C-level face of `MaskBuilder`.
from constrain.matching.position_cy cimport Policy, Position
from constrain.matching.walks_cy cimport Sub, WalkTrie


cdef class MaskBuilder:
    cdef object shared
    cdef WalkTrie whole
    cdef WalkTrie stripped
    cdef Policy policy
    cdef readonly Py_ssize_t n_words
    cdef readonly object cache
    cdef Py_ssize_t max_depth
    cdef list levels
    cdef readonly object words_array
    cdef unsigned int* words
    cdef dict _universal
    cdef dict _allowed_blanks
    cdef bytearray filter
    cdef int _clear(self)
    cdef int _fill_structure(self, Position position)
    cdef int _fill_number(self, Position position)
    cdef int _set_tokens(self, object tokens)
    cdef int _fill_string(self, Position position)
    cdef int _copy_bounded(self, Position position, Py_ssize_t left)
    cdef int _copy_inside(self, Position position, object key)
    cdef int _copy(self, bytes mask)
    cdef object _scratch(self, int level)
    cdef int _emit(self, WalkTrie walk, int entry)
    cdef int _erase(self, WalkTrie walk, int node)
    cdef int _emit_node(self, WalkTrie walk, int node)
    cdef int _walk(self, WalkTrie walk, int root, Position position, int level)
    cdef Sub _sub(self, WalkTrie walk, int node, bint for_key)
    cdef int _apply_sub(self, WalkTrie walk, int node, Position position, bint for_key, int level)
    cdef int _correct_keys(self, WalkTrie walk, int node, Position position, int level)
