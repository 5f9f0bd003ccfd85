# The C-level face of `MaskBuilder`.
from constrain.matching.position_cy cimport Policy, Position
from constrain.vocabulary.token_trie_cy cimport TokenTrie


cdef class MaskBuilder:
    cdef TokenTrie trie
    cdef TokenTrie without_quote
    cdef TokenTrie with_quote
    cdef Policy policy
    cdef readonly Py_ssize_t n_words
    cdef readonly object cache
    cdef object shared_cache
    cdef list scratch
    cdef readonly object words_array
    cdef unsigned int* words
    cdef Py_ssize_t max_characters
    cdef dict _universal
    cdef int _clear(self)
    cdef bint _is_free(self, Position position)
    cdef int _fill_string(self, Position position)
    cdef int _copy_inside(self, Position position, object key, bint shared)
    cdef int _walk(self, TokenTrie trie, Position position)
