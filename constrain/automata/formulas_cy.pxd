# The C-level face of `Formulas`.
cdef class Formulas:
    cdef public list values
    cdef public Py_ssize_t max_nodes
    cdef public object tick
    cdef Py_ssize_t _n_ticks
    cdef dict _index
    cdef list _variable
    cdef list _low
    cdef list _high
    cdef dict _lone
    cdef dict _unique
    cdef dict _ite
    cdef dict _negations
    cdef dict _supports
    cdef dict _implicants
    cdef dict _n_paths
    cdef dict _unate
    cpdef object lone(self, Py_ssize_t formula)
    cdef object _node(self, object variable, object low, object high)
    cdef object _shortcut(self, object f, object g, object h)
    cdef object _reachable(self, object formula)
