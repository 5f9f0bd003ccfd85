# The C-level face of classes of characters.
from constrain.automata.table_cy cimport TableAutomaton


cdef long long* longs(object array)
cdef int* ints(object array)
cpdef long long loops(TableAutomaton automaton, int state) except? -2
cpdef int run_length(TableAutomaton automaton, int state, long long signature, int most) except? -2
