# The C-level face of `MaskWalks`.
from constrain.matching.mask_words_cy cimport MaskWords
from constrain.matching.position_cy cimport Policy, Position
from constrain.matching.walks_cy cimport Scratch, WalkTrie


cdef class MaskWalks(MaskWords):
    cdef int _begin_walks(self, object shared, Policy policy, Py_ssize_t n_words, int max_depth)
    cdef object shared
    cdef Policy policy
    cdef Py_ssize_t max_depth
    cdef list levels
    cdef bint _rich
    cdef Scratch _scratch(self, int level)
    cdef int _walk(self, WalkTrie walk, int root, Position position, int level)
    cdef int _begin_lane(self, Scratch scratch, int depth, Position position)
    cdef Position _in_lane(self, WalkTrie walk, int node, Scratch scratch, int depth, int begun)
    cdef bint _is_rich(self, Position position, int state)
    cdef bint _can_be_new(self, WalkTrie walk, int node, Position source, int state, int length)
    cdef bint _open(self, WalkTrie walk, int node, Position position, int level)
