# The C-level face of `Glance`.
cdef class Glance:
    cdef object _references
    cdef dict _harmless
    cdef dict _known
    cdef dict _kinds
    cpdef int kinds(self, object schema, object place, int depth=*)
    cdef int _find_kinds(self, object schema, object place, object keywords, int depth)
    cdef int _kinds_below(self, object schema, object place, int depth)
    cdef object _keywords(self, object schema, object place)
    cpdef object with_values(self, object schemas, object place, object names)
    cpdef bint has_value(self, object schema, object place, int depth=*)
    cpdef bint has_kind(self, object schema, object place, int kind)
    cpdef int flat_kind(self, object schema, object place)
    cdef bint _named(self, object schema, object place, object name, int depth, int mode)
    cdef bint _find_named(self, object schema, object place, object name, int depth, int mode)
    cdef bint _named_below(self, object schema, object place, object name, int depth, int mode)
    cdef bint _below(self, object schema, object place, int depth)
    cdef bint _has_required(self, object schema, object place, int depth)
    cdef bint _has_items(self, object schema, object place, int depth)
