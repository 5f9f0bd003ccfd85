# The C-level face of `Leaving`.
from constrain.matching.frames_cy cimport Frame
from constrain.matching.key_trie_cy cimport KeyTrie
from constrain.matching.mask_walks_cy cimport MaskWalks
from constrain.matching.position_cy cimport Policy, Position
from constrain.matching.walks_cy cimport Sub, WalkTrie


cdef class Leaving(MaskWalks):
    cdef int _begin_leaving(self, object shared, Policy policy, Py_ssize_t n_words, int max_depth)
    cdef Frame _item_frame
    cdef dict _after_item
    cdef dict _after_keys
    cdef Frame _key_frame
    cdef dict _followers
    cdef int _allow(self, Sub sub, Position exit, int level)
    cdef bytes _allowed(self, Sub sub, int level)
    cdef int _set_allowed(self, Sub sub, int level, bytes allowed)
    cdef int _allow_some(self, WalkTrie remainders, Position exit, int level)
    cdef int _emit_leaving(self, Sub sub, int entry, int level)
    cdef int _emit_all_leaving(self, Sub sub, int level)
    cdef int _leave_free(self, Sub sub, Position position, int level)
    cdef int _leave_captured(self, Sub sub, Position position)
    cdef dict _repeated(self, Sub sub, Position position)
    cdef int _allow_after_new(self, Sub sub, Position position, object outcome, int entry)
    cdef int _allow_after_item(self, Sub sub, Position position, object outcome, object value)
    cdef int _leave_counted(self, Sub sub, Position position, Py_ssize_t left)
    cdef int _leave_string(self, Sub sub, Position position, int level)
    cdef int _end_inners(self, Sub sub, Position position, int level, object groups, object named)
    cdef int _leave_key(self, Sub sub, Position position, int level)
    cdef int _emit_named(self, Sub sub, Position position, int inner, int name, int level)
    cdef int _leave_free_key(self, Sub sub, Position position, int level)
    cdef int _allow_after_key(self, Sub sub, Frame frame, object member, int name, int level)
    cdef Frame _following(self, Frame frame, object member, int name)
    cdef int _end_names(self, Sub sub, KeyTrie names, int node, int above, object named)
    cdef int _inner(self, Sub sub, bytes text)
    cdef Sub _sub(self, WalkTrie walk, int node, bint for_key)
