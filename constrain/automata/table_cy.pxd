# The C-level face of `TableAutomaton`, for the other compiled modules.
cdef class TableAutomaton:
    cdef int* table
    cdef unsigned char* flags
    cdef long long* loops
    cdef long long* runs
    cdef long long* stops
    cdef int* followers
    cdef Py_ssize_t capacity
    cdef public Py_ssize_t size
    cdef public Py_ssize_t max_states
    cdef public int start
    cdef public bint is_shared
    cdef public int counts
    cdef public dict live_escapes
    cdef public list outcomes
    cdef public list rows
    cdef public list accepts
    cdef int _grow(self)
    cpdef int expand(self, int state, int byte) except? -3
    cpdef int step(self, int state, int byte) except? -3
    cpdef bint accepting(self, int state)
    cpdef object outcome(self, int state)


cdef inline int next_state(TableAutomaton automaton, int state, int byte) except? -3:
    """Return the state after a byte, or a negative number: `step` without a call for what is known."""
    cdef int target = automaton.table[<Py_ssize_t>state * 256 + byte]
    if target != -2:
        return target
    return automaton.step(state, byte)
