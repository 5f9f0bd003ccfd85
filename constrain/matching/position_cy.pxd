# The C-level face of `Position`.
cimport cython

from constrain.automata.table_cy cimport TableAutomaton
from constrain.matching.frames_cy cimport Frame, Goal
from constrain.matching.key_trie_cy cimport KeyTrie


cdef class Policy:
    cdef readonly list whitespace
    cdef readonly str whitespace_name
    cdef readonly str numbers_name
    cdef readonly bint trailing
    cdef readonly bint minimal


# Nothing that a position refers to refers to one: the garbage collector need not look at them, and a
# document makes one a token.
@cython.no_gc
cdef class Position:
    cdef readonly Policy policy
    cdef readonly int mode
    cdef readonly int blanks
    cdef readonly int state
    cdef readonly Py_ssize_t length
    cdef readonly int escape
    cdef readonly long long code
    cdef readonly int trie
    cdef readonly KeyTrie names
    cdef readonly Frame frame
    cdef readonly Goal goal
    cdef readonly TableAutomaton automaton
    cdef readonly bytes key
    cdef public Position previous
    cdef public int token
    cdef public Py_ssize_t n_tokens
    cpdef Position blank(self)
    cpdef int assign(self, Position other)
    cpdef bint accepting(self)
    cpdef bint step(self, int byte, Position target)
    cdef object _number(self)
    cdef bint _step_structure(self, int byte, Position target)
    cdef bint _open_value(self, int byte, Goal goal, Frame frame, Position target)
    cdef bint _step_literal(self, int byte, Position target)
    cdef bint _step_number(self, int byte, Position target)
    cdef bint _step_string(self, int byte, Position target)
    cdef bint _count(self, int byte)
    cdef bint _step_key(self, int byte, Position target)
    cdef int _copy_key(self, Position source)
    cdef bint _feed_key(self, int byte)
    cpdef bint free_is_live(self, int state, bytes more)
    cdef bint _named_is_live(self)
    cdef bint _close_key(self, Position target)
    cdef bint _begin_escape(self, Position target)
    cdef bint _escape_is_live(self)
    cdef bint _known_escape_is_live(self)
    cdef bint _short_character_is_live(self, Goal goal)
    cdef bint _long_character_is_live(self)
    cdef bint _hex_is_live(self)
    cdef bint _step_escape(self, int byte, Position target)
