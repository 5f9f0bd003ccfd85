# The C-level face of `LazyDfa`.
from constrain.automata.languages_cy cimport Language, Languages
from constrain.automata.table_cy cimport TableAutomaton


cdef class LazyDfa(TableAutomaton):
    cdef readonly Languages languages
    cdef dict _numbers
    cdef list _goals
    cdef bint _has_tracked
    cdef list _tracked
    cdef list _cuts
    cdef dict _edges
    cdef dict _completions
    cdef dict _live
    cdef dict _layers
    cdef dict _walks
    cdef dict _some_lengths
    cdef dict _few_words
    cdef dict _word_counts
    cdef dict _rich
    cpdef int expand(self, int state, int byte) except? -3
    cdef int _state(self, Language goal, tuple[Language, ...] tracked)
