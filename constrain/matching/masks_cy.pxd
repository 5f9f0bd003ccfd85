# The C-level face of `MaskBuilder`.
from constrain.automata.table_cy cimport TableAutomaton
from constrain.matching.frames_cy cimport Frame, FrameGraph, Goal
from constrain.matching.key_trie_cy cimport KeyTrie
from constrain.matching.position_cy cimport Policy, Position
from constrain.matching.walks_cy cimport Scratch, Sub, WalkTrie
from constrain.vocabulary.token_trie_cy cimport TokenTrie


cdef class MaskBuilder:
    cdef object shared
    cdef object character_array
    cdef int* characters
    cdef WalkTrie whole
    cdef WalkTrie inside
    cdef WalkTrie stripped
    cdef WalkTrie escaped
    cdef WalkTrie plain
    cdef WalkTrie numeric
    cdef WalkTrie after_number
    cdef WalkTrie resuming
    cdef WalkTrie numbers
    cdef Policy policy
    cdef readonly Py_ssize_t n_words
    cdef readonly object cache
    cdef Py_ssize_t _most_whole
    cdef dict _young
    cdef dict _old
    cdef Py_ssize_t max_depth
    cdef list levels
    cdef readonly object words_array
    cdef unsigned int* words
    cdef dict _universal
    cdef bint _rich
    cdef bint _follow(self, FrameGraph graph)
    cdef FrameGraph _graph
    cdef public dict worst
    cdef int _fits_state
    cdef bytearray _fits
    cdef TableAutomaton _rich_automaton
    cdef bytearray _rich_states
    cdef Frame _item_frame
    cdef dict _after_item
    cdef bytearray filter
    cdef Frame _string_frame
    cdef Goal _string_goal
    cdef bytes _string_mask
    cdef dict _after_keys
    cdef Frame _key_frame
    cdef dict _followers
    cpdef object fill(self, Position position)
    cpdef bytes known(self, Position position)
    cpdef object key(self, Position position)
    cdef bytes _remembered(self, object key)
    cdef int _remember(self, object key, bytes mask)
    cpdef int clear(self)
    cpdef int allow(self, object tokens)
    cdef int _clear(self)
    cdef int _add_structure(self, Position position, bint is_first)
    cdef int _add_numbers(self, Position position)
    cdef bytes _apart(self, WalkTrie walk, Position position)
    cdef int _fill_number(self, Position position)
    cdef int _fill_string(self, Position position)
    cdef bint _is_universal(self, TableAutomaton automaton, int state)
    cdef int _copy_root(self, Sub sub)
    cdef int _copy_bounded(self, Position position, Py_ssize_t left)
    cdef int _copy_inside(self, Position position)
    cdef bint _add_plain(self, TableAutomaton automaton, int start, Goal goal, Py_ssize_t length, bint only_rich)
    cdef int _add_below(self, TokenTrie trie, int node, Goal goal, int state, Py_ssize_t begun)
    cdef int _allow(self, Sub sub, Position exit, int level)
    cdef int _emit_leaving(self, Sub sub, int entry, int level)
    cdef int _leave_free(self, Sub sub, Position position, int level)
    cdef int _leave_captured(self, Sub sub, Position position)
    cdef dict _repeated(self, Sub sub, Position position)
    cdef int _allow_after_new(self, Sub sub, Position position, object outcome, int entry)
    cdef int _allow_after_item(self, Sub sub, Position position, object outcome, object value)
    cdef int _leave_counted(self, Sub sub, Position position, Py_ssize_t left)
    cdef int _leave_string(self, Sub sub, Position position, int level)
    cdef int _end_inners(self, Sub sub, Position position, int level, object groups, object named)
    cdef int _fill_key(self, Position position)
    cdef int _add_names(self, Position position)
    cdef int _add_names_below(self, TokenTrie trie, KeyTrie names, int above, int node, bytes offered)
    cdef int _copy_key_inside(self, Position position)
    cdef int _leave_key(self, Sub sub, Position position, int level)
    cdef int _emit_named(self, Sub sub, Position position, int inner, int name, int level)
    cdef int _leave_free_key(self, Sub sub, Position position, int level)
    cdef int _allow_after_key(self, Sub sub, Frame frame, object member, int name, int level)
    cdef Frame _following(self, Frame frame, object member, int name)
    cdef bytes _allowed(self, Sub sub, int level)
    cdef int _set_allowed(self, Sub sub, int level, bytes allowed)
    cdef bint _has_riches(self, TableAutomaton automaton, int state)
    cdef int _allow_some(self, WalkTrie remainders, Position exit, int level)
    cdef int _end_names(self, Sub sub, KeyTrie names, int node, int above, object named)
    cdef int _inner(self, Sub sub, bytes text)
    cdef int _copy(self, bytes mask)
    cdef int _add(self, bytes mask)
    cdef bytes _packed(self)
    cdef Scratch _scratch(self, int level)
    cdef int _emit(self, WalkTrie walk, int entry)
    cdef int _erase(self, WalkTrie walk, int entry)
    cdef int _emit_node(self, WalkTrie walk, int node)
    cdef int _walk(self, WalkTrie walk, int root, Position position, int level)
    cdef int _begin_lane(self, Scratch scratch, int depth, Position position)
    cdef Position _in_lane(self, WalkTrie walk, int node, Scratch scratch, int depth, int begun)
    cdef bint _is_rich(self, Position position, int state)
    cdef bint _can_be_new(self, WalkTrie walk, int node, Position source, int state, int length)
    cdef bint _open(self, WalkTrie walk, int node, Position position, int level)
    cdef Sub _sub(self, WalkTrie walk, int node, bint for_key)
