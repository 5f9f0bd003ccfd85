# The C-level face of `Figures`, `Lattices` and `HalfLine`.
cdef class Figures:
    cdef readonly int length
    cdef readonly object coefficient
    cdef readonly int zeros
    cdef readonly int first
    cdef readonly int last
    cdef readonly int matched


cdef class Lattices:
    cdef readonly dict divisors
    cdef readonly object modulus
    cdef readonly object residues
    cdef readonly object all_bits
    cdef readonly list any
    cdef list _whole
    cpdef object thresholds(self, object coefficient)
    cpdef object bits(self, object coefficient, object exponent)


cdef class HalfLine:
    cdef readonly list constants
    cdef readonly list own
    cdef readonly list significands
    cdef object _verdict
    cdef dict _points
    cdef dict _gaps
    cdef list _ranks
    cdef list _gap_vectors
    cdef list _point_vectors
    cdef dict _groups
    cdef list _magnitudes
    cpdef bint empty(self, bint whole)
    cpdef bint matches_constant(self, Figures figures)
    cpdef object vector(self, Figures figures, object magnitude)
    cpdef object follow(self, Figures figures, str digit)
    cpdef object gap(self, Figures figures, str digit)
    cpdef object completion(self, Figures figures, object reach, bint whole)
    cdef object _in_gap(self, Figures figures, object gap, object combination, object shift, object finest)
