# The C-level face of `Matcher`.
from constrain.matching.masks_cy cimport MaskBuilder
from constrain.matching.position_cy cimport Policy, Position
from constrain.vocabulary.token_trie_cy cimport TokenTrie


cdef class Session:
    cdef readonly object machine
    cdef readonly Policy policy
    cdef readonly object compiled
    cdef readonly object vocabulary
    cdef readonly object lock
    cdef readonly MaskBuilder builder
    cdef readonly tuple eos_ids
    cdef readonly tuple eos_within
    cdef readonly Py_ssize_t size
    cdef readonly TokenTrie trie
    cdef readonly object seen
    cdef object _plain
    cdef dict _encoded


cdef class Matcher:
    cdef readonly Session session
    cdef bytes prefix
    cdef Position start
    cdef Position here
    cdef Py_ssize_t n_eos
    cdef Py_ssize_t budget
    cdef Py_ssize_t n_masks
    cdef Py_ssize_t n_advanced
    cdef Py_ssize_t n_refused
    cdef object _plan
    cdef int _write(self, object bitmask, Py_ssize_t row)
    cdef bint _allows_all(self)
    cdef bint _all_set(self, unsigned int* words)
    cdef object _mask(self)
    cdef int _fill(self)
    cdef Position _after(self, object token)
    cdef bint _is_plain_text(self)
