# The C-level face of `MaskBuilder`.
from constrain.matching.frames_cy cimport Frame, FrameGraph, Goal
from constrain.matching.mask_contents_cy cimport MaskContents
from constrain.matching.mask_words_cy cimport KeptMask
from constrain.matching.position_cy cimport Position


cdef class MaskBuilder(MaskContents):
    cdef Py_ssize_t _most_bytes
    cdef Py_ssize_t _young_bytes
    cdef set _young_words
    cdef bytes _last_words
    cdef dict _young
    cdef dict _old
    cdef FrameGraph _graph
    cdef public dict worst
    cdef dict _alike_states
    cdef Frame _string_frame
    cdef Goal _string_goal
    cdef KeptMask _string_mask
    cpdef object fill(self, Position position)
    cpdef int fill_words(self, Position position)
    cpdef KeptMask filled(self, Position position)
    cdef int _visited(self, Position position)
    cdef KeptMask _free_string(self, Position position)
    cpdef object key(self, Position position)
    cdef int _alike(self, Position position)
    cdef bint _follow(self, FrameGraph graph)
    cdef int _start_over(self)
    cdef KeptMask _remembered(self, object key)
    cdef int _remember(self, object key, KeptMask mask)
