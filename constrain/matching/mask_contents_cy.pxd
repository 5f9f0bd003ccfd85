# The C-level face of `MaskContents`.
from constrain.automata.table_cy cimport TableAutomaton
from constrain.matching.frames_cy cimport Frame, Goal
from constrain.matching.key_trie_cy cimport KeyTrie
from constrain.matching.leaving_cy cimport Leaving
from constrain.matching.mask_cache_cy cimport MaskCache
from constrain.matching.position_cy cimport Policy, Position
from constrain.matching.walks_cy cimport Sub, WalkTrie
from constrain.vocabulary.token_trie_cy cimport TokenTrie


cdef class MaskContents(Leaving):
    cdef int _begin_contents(self, object vocabulary, Policy policy, Py_ssize_t max_bytes)
    cdef object character_array
    cdef int* characters
    cdef WalkTrie whole
    cdef WalkTrie inside
    cdef WalkTrie stripped
    cdef WalkTrie escaped
    cdef WalkTrie plain
    cdef WalkTrie long_escaped
    cdef WalkTrie long_plain
    cdef dict _outlines
    cdef WalkTrie numeric
    cdef WalkTrie after_number
    cdef WalkTrie resuming
    cdef WalkTrie numbers
    cdef MaskCache _cache
    cdef Py_ssize_t _max_bytes
    cdef MaskCache _cache_of(self, TableAutomaton automaton)
    cdef int _store(self, MaskCache cache, object key)
    cdef dict _universal
    cdef dict _endless
    cdef int _fits_state
    cdef bytearray _fits
    cdef TableAutomaton _rich_automaton
    cdef bytearray _rich_states
    cdef int _fill(self, Position position)
    cdef int _fill_structure(self, Position position)
    cdef int _walk_structure(self, Position position)
    cdef Goal _number_goal(self, Position position)
    cdef bytes _with_numbers(self, bytes blanks, Goal goal, Position position)
    cdef int _fill_number(self, Position position)
    cdef int _fill_string(self, Position position)
    cdef bint _is_universal(self, TableAutomaton automaton, int state)
    cdef bint _is_endless(self, TableAutomaton automaton, int state)
    cdef int _copy_root(self, Sub sub)
    cdef int _copy_bounded(self, Position position, Py_ssize_t left)
    cdef int _copy_inside(self, Position position)
    cdef object _outline(self, Position position)
    cdef int _copy_short(self, Position position, object outline)
    cdef int _add_long(self, Position position, Goal goal)
    cdef bint _add_plain(self, WalkTrie walk, TableAutomaton automaton, int start, Goal goal, Py_ssize_t length, bint only_rich)
    cdef bint _has_riches(self, TableAutomaton automaton, int state)
    cdef int _add_below(self, TokenTrie trie, int node, Goal goal, int state, Py_ssize_t begun)
    cdef int _fill_key(self, Position position)
    cdef int _add_names(self, Position position)
    cdef int _add_names_below(self, TokenTrie trie, KeyTrie names, int above, int node, bytes offered)
    cdef int _copy_key_inside(self, Position position)
