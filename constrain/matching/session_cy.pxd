# The C-level face of `Session`.
from constrain.lock_cy cimport EngineLock
from constrain.matching.masks_cy cimport MaskBuilder
from constrain.matching.position_cy cimport Policy, Position
from constrain.vocabulary.token_trie_cy cimport TokenTrie


cdef class Session:
    cdef readonly object machine
    cdef readonly Policy policy
    cdef readonly object compiled
    cdef readonly object vocabulary
    cdef readonly EngineLock lock
    cdef readonly MaskBuilder builder
    cdef readonly tuple eos_ids
    cdef readonly tuple eos_within
    cdef readonly long least_eos
    cdef readonly long greatest_eos
    cdef readonly Py_ssize_t size
    cdef readonly TokenTrie trie
    cdef readonly object seen
    cdef dict _encoded
    cpdef Position after(self, Position here, int token)
