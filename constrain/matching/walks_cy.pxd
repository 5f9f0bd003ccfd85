# The C-level face of walk tries, subs and the scratch of walks.
from constrain.matching.position_cy cimport Position
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
    cdef object row_array
    cdef int* rows
    cdef int _line_up(self)
    cdef object signature_array
    cdef object height_array
    cdef int* height
    cdef long long* signature


cdef class Sub:
    cdef readonly WalkTrie inside
    cdef public object words
    cdef readonly WalkTrie inners
    cdef readonly bint has_empty
    cdef readonly object remainder_array
    cdef readonly object character_array
    cdef int* remainder
    cdef int* n_characters
    cdef readonly WalkTrie remainders
    cdef readonly WalkTrie further
    cdef readonly bint begins_key
    cdef readonly int n_remainders
    cdef readonly WalkTrie irregular
    cdef dict tokens
    cdef object _leaving_list
    cdef object _leaving_walk


cdef class Scratch:
    cdef object policy
    cdef list positions
    cdef int n_positions
    cdef bytearray memory
    cdef int* lane
    cdef int* kind
    cdef int* state
    cdef int* node
    cdef int* length
    cdef Position spare
    cdef Position exit
    cdef bytearray allowed_memory
    cdef int n_allowed
    cdef unsigned int* allowed
    cdef int deepen(self, int depth)
