# The C-level face of the search for escaped code points.
from constrain.automata.table_cy cimport TableAutomaton

cpdef int first_live_code_point(TableAutomaton automaton, int state, int first, int last, object is_live)
cdef int _search(TableAutomaton automaton, int state, int first, int last, int width, int position, bytes above, object is_live)
