# The C-level face of whole JSON values.
cpdef bint holds_key(object value, object keys)
