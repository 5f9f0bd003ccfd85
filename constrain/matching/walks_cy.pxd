# The C-level face of walk tries and subs.
from constrain.vocabulary.token_trie_cy cimport TokenTrie


cdef class WalkTrie:
    cdef readonly TokenTrie trie
    cdef readonly object start
    cdef readonly object ids
    cdef readonly object tags
    cdef readonly dict subs
    cdef int* c_start
    cdef int* c_ids
    cdef int* c_tags


cdef class Sub:
    cdef readonly WalkTrie inside
    cdef readonly WalkTrie closing
    cdef readonly WalkTrie closers
    cdef readonly WalkTrie irregular
    cdef public object words
