# The C-level face of `SimpleValues`.
cdef class SimpleValues:
    cdef object _references
    cdef dict _harmless
    cdef dict _known
    cpdef bint has_value(self, object schema, object place, int depth=*)
    cdef bint _below(self, object schema, object place, int depth)
    cdef bint _is_simple(self, object schema, object place, object keywords, int depth)
    cdef bint _has_type(self, object schema, object place, object keywords, object name, object asking, int depth)
    cdef bint _has_required(self, object schema, object place, int depth)
    cdef bint _has_items(self, object schema, object place, int depth)
