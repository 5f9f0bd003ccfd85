"""Goals and frames: what a value has to satisfy, and the open containers around it.

Frames are immutable records linked to their parents: a persistent stack. A new frame replaces
the old one when a key closes or a value ends, so `fork` costs nothing and `rollback` forgets.
What is lazily computed on a frame or goal is a function of its other fields.

The frames of all documents of a constraint form one *graph*, as long as it is not too large: a
frame remembers those that follow it, so the same members lead to the same frame again, with what
was computed there, and to the same masks. Captured values and very many free keys are in no graph:
what they lead to hardly comes again.
"""

from __future__ import annotations

from typing import Any

try:
    import cython
except ModuleNotFoundError:
    from constrain._cython import cython

if cython.compiled:
    from cython.cimports.constrain.matching.modes import ARRAY, NUMBER, OBJECT, STRING
    from cython.cimports.constrain.matching.name_set_cy import NameSet
    from cython.cimports.constrain.matching.object_face_cy import ObjectFace
    from cython.cimports.cpython.ref import Py_REFCNT
else:
    from constrain.matching.modes import ARRAY, NUMBER, OBJECT, STRING
    from constrain.matching.name_set_cy import NameSet
    from constrain.matching.object_face_cy import ObjectFace

from constrain.automata.lazy_dfa_cy import any_text_automaton
from constrain.matching.atoms import ALL_KINDS
from constrain.matching.values import array_value, object_value

__all__ = ["Frame", "FrameGraph", "Goal", "child_frame", "root_frame"]

_NO_NAMES: NameSet = NameSet()
#: For so many pairs of a state and a length it is remembered whether a string can end.
_MOST_LENGTHS = 4_000_000
#: If a string can end within its bounds after so many more code points, it can after fewer.
_MORE_LENGTHS = 64
#: So many frames are remembered by those before them; their numbers fit into 15 bits.
_MOST_FRAMES = 20_000
#: Frames with more free keys are not.
_MOST_NAMES = 64


@cython.cclass
class Goal:
    """A formula that a value has to satisfy, and tracked formulas whose truth is reported.

    Attributes:
        formula: over `SchemaNode` variables.
        tracked: formulas; bit i of an outcome tells whether tracked formula i holds.
    """

    def __init__(self, machine: Any, formula: int, tracked: tuple[int, ...]) -> None:
        self.machine = machine
        self.formula = formula
        self.tracked = tracked
        self.known_kinds = 0
        self.kinds = 0
        self._lone_types = -2
        self.text: Any = None
        self.text_low = 0
        self.text_high = -1
        self.text_tail = -1
        self.text_universal = False
        self._lengths = bytearray()
        self.number = None
        self._object = None
        self._array = None
        self._literal_outcomes: Any = None

    @cython.ccall
    def offers(self, kind: cython.int) -> cython.bint:
        """Return whether a value of `kind` can satisfy the goal."""
        bit: cython.int = 1 << kind
        if self.known_kinds == 0:
            self._glance()
        if not self.known_kinds & bit:
            with self.machine.algebra.deadline:
                if self.machine.emptiness.has_kind(self.formula, kind):
                    self.kinds |= bit
                    self._prepare(kind)
            self.known_kinds |= bit
        return (self.kinds & bit) != 0

    @cython.cfunc
    def _glance(self) -> cython.int:
        """Find what is known at once: kinds that the types rule out, and one that is left and has a value."""
        algebra: Any = self.machine.algebra
        kinds: cython.int = self.lone_types()
        if kinds >= 0:
            # Any value of these types: containers may be empty.
            self.kinds = kinds & ALL_KINDS
            if kinds & 1 << NUMBER:
                self.number = algebra.lone_numbers(kinds)
            if kinds & 1 << STRING:
                self.text = any_text_automaton()
                self.text_universal = True
            self.known_kinds = -1
            return 0
        kinds = algebra.kinds(self.formula)
        self.known_kinds = ~kinds
        if kinds & (kinds - 1) == 0 and kinds != 0 and algebra.has_simple_value(self.formula):
            self.kinds = kinds
            if kinds == 1 << STRING or kinds == 1 << NUMBER:
                with algebra.deadline:
                    self._prepare(STRING if kinds == 1 << STRING else NUMBER)
            self.known_kinds = -1
        return 0

    @cython.cfunc
    def _prepare(self, kind: cython.int) -> cython.int:
        """Make the automaton of strings or numbers, if the kind has one."""
        if kind == STRING:
            self._prepare_text()
        elif kind == NUMBER:
            self.number = self.machine.algebra.number_automaton(self.formula, self.tracked)
        return 0

    @cython.ccall
    def lone_types(self) -> cython.int:
        """Return the types that it allows if it asks no more, else -1: see `SchemaNode.lone_types`."""
        if self._lone_types == -2:
            self._lone_types = -1 if self.tracked else self.machine.algebra.lone_types(self.formula)
        return self._lone_types

    def _prepare_text(self) -> None:
        plan = self.machine.algebra.text_plan(self.formula, self.tracked)
        self.text = plan.automaton
        self.text_low = plan.low
        self.text_high = plan.high
        self.text_tail = plan.tail
        self.text_universal = plan.automaton.is_universal(plan.automaton.start)

    @cython.ccall
    def has_length(self, state: cython.int, length: cython.Py_ssize_t) -> cython.bint:
        """Return whether a string of which `length` code points were read can end within its bounds.

        Args:
            state: of its automaton.
        """
        low: cython.Py_ssize_t = self.text_low
        high: cython.Py_ssize_t = self.text_high
        place: cython.Py_ssize_t
        width: cython.Py_ssize_t = low + 1
        known: cython.int
        memo: bytearray = self._lengths
        if high >= 0:
            if length > high:
                return False
            width = high + 1
        elif length > low:
            length = low
        if self.text_universal:
            return True
        place = state * width + length
        if place >= _MOST_LENGTHS:
            return self._find_length(state, length)
        if place >= len(memo):
            memo.extend(bytes(min(_MOST_LENGTHS, 2 * place + 64) - len(memo)))
        known = memo[place]
        if known == 0:
            known = self._find_lengths(state, length, width)
        return known == 1

    @cython.cfunc
    def _find_lengths(
        self, state: cython.int, length: cython.Py_ssize_t, width: cython.Py_ssize_t
    ) -> cython.int:
        """Find out what `has_length` remembers of a length and of longer ones: 1 if it fits, else 2."""
        memo: bytearray = self._lengths
        place: cython.Py_ssize_t = state * width
        last: cython.Py_ssize_t = min(self.text_high, length + _MORE_LENGTHS)
        if length >= self.text_low and last > length and place + last < _MOST_LENGTHS:
            if place + last >= len(memo):
                memo.extend(bytes(place + last + 1 - len(memo)))
            # Beyond the lower bound, what fits after some text fits after a shorter one.
            if self._find_length(state, last):
                for longer in range(length, last + 1):
                    memo[place + longer] = 1
                return 1
        known: cython.int = 1 if self._find_length(state, length) else 2
        memo[place + length] = known
        return known

    def _find_length(self, state: int, length: int) -> bool:
        low = max(0, self.text_low - length)
        high = None if self.text_high < 0 else self.text_high - length
        return (low == 0 and high is None) or bool(self.text.has_length(state, low, high))

    @cython.ccall
    def is_far(self, length: cython.Py_ssize_t, most: cython.Py_ssize_t) -> cython.bint:
        """Return whether `most` further code points surely keep the bounds, after `length` of them."""
        if self.text_low > length:
            return False
        if self.text_high < 0:
            return True
        return self.text_tail >= 0 and self.text_high - length - most >= self.text_tail

    def prepare_free_text(self, automaton: Any) -> None:
        """Make this the goal of any string; `automaton` runs over any text."""
        self.known_kinds = self.kinds = 1 << STRING
        self.text = automaton
        self.text_universal = True

    def literal_outcome(self, kind: int) -> int:
        """Return the tracked formulas that hold for the one value of a literal kind."""
        if self._literal_outcomes is None:
            self._literal_outcomes = {}
        outcome: int | None = self._literal_outcomes.get(kind)
        if outcome is None:
            algebra = self.machine.algebra
            outcome = sum(
                (algebra.component(formula, kind) == 1) << bit for bit, formula in enumerate(self.tracked)
            )
            self._literal_outcomes[kind] = outcome
        return outcome

    def object_shape(self) -> Any:
        """Return the shape of an object of which nothing was read."""
        if self._object is None:
            algebra = self.machine.algebra
            formula = algebra.component(self.formula, OBJECT)
            tracked = tuple(algebra.component(one, OBJECT) for one in self.tracked)
            keys = self.machine.key_space((formula, *tracked))
            self._object = self.machine.object_shape(keys, formula, tracked)
        return self._object

    def array_shape(self) -> Any:
        """Return the shape of an array of which nothing was read."""
        if self._array is None:
            algebra = self.machine.algebra
            formula = algebra.component(self.formula, ARRAY)
            tracked = tuple(algebra.component(one, ARRAY) for one in self.tracked)
            self._array = self.machine.array_shape(formula, tracked)
        return self._array


@cython.cclass
class FrameGraph:
    """The frames that are remembered from one document to the next.

    Attributes:
        root: the frame of a document of which nothing was read.
        serial: how many graphs the constraint had before.
    """

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.size = 0
        self.root: Any = root_frame()
        root: Frame = self.root
        root.graph = self

    def dispose(self) -> None:
        """Cut the links from frames to those that follow them."""
        frame: Frame
        pending: list[Any] = [] if self.root is None else [self.root]
        self.root = None
        while pending:
            frame = pending.pop()
            frame.graph = None
            if frame._first is not None:
                pending.append(frame._first)
                frame._first = None
            if frame._links is not None:
                pending.extend(frame._links.values())
                frame._links = None
            if frame._object_child is not None:
                pending.append(frame._object_child)
                frame._object_child = None
            if frame._array_child is not None:
                pending.append(frame._array_child)
                frame._array_child = None

    @property
    def is_full(self) -> bool:
        """Whether no further frame is remembered."""
        return self.size >= _MOST_FRAMES


# What lies between frames leads backwards, but for the links of a graph, which is taken apart with its
# constraint: the garbage collector need not look at them.
@cython.no_gc
@cython.cclass
class Frame:
    """One open container, or the document itself (`kind` -1).

    Attributes:
        parent: the container around it, `None` for the document.
        kind: `OBJECT`, `ARRAY` or -1.
        shape: what the formulas have become.
        present: the named keys that were written, as bits.
        blocked: the named keys that cannot be written any more, as bits.
        names: the free keys that were written; the items of an array whose items have to differ.
        n_names: how many these are.
        count: the number of members written or begun.
        entry: the member that is being read.
        depth: the number of containers around it.
        captures: whether the values of members are needed, here or further out.
        key: of the property that is being read, where values are captured.
        members: (those before, key, value) of the members read, where the whole value is needed.
        graph: that the frame is in; `None` if it is in none.
        number: of the frame in its graph.
    """

    def __init__(
        self,
        parent: Frame | None,
        kind: int,
        shape: Any,
        present: int,
        blocked: int,
        names: NameSet,
        count: int,
        entry: Any,
    ) -> None:
        self.parent = parent
        self.kind = kind
        self.shape = shape
        self.present = present
        self.blocked = blocked
        self.names = names
        self.n_names = names.size
        self.count = count
        self.entry = entry
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.captures: bool = False if parent is None else parent.captures or shape.captures
        self.key: Any = None
        self.members: Any = None
        self.graph: Any = None
        self.number = 0
        # Most frames lead to one other only.
        self._first_key: Any = None
        self._first: Any = None
        self._links: Any = None
        self._object_child: Any = None
        self._array_child: Any = None
        self._closable = -1
        self._offer: Any = None
        self._item: Any = None
        self._item_known = False
        self._offered: Any = None
        self._mark: Any = None

    def __dealloc__(self) -> None:
        # The chain of very many open containers must not recurse when it is freed.
        if cython.compiled:
            nothing: Any = None
            following: Frame | None
            chain: Frame | None = self.parent
            self.parent = None
            while chain is not None and Py_REFCNT(chain) == 1:
                following = chain.parent
                chain.parent = None
                chain = following
                following = nothing

    @cython.cfunc
    def _linked(self, key: object) -> Frame | None:
        """Return the frame that this step led to before, or `None`."""
        links: Any = self._links
        if self._first is not None and self._first_key == key:
            return self._first
        return None if links is None else links.get(key)

    @cython.cfunc
    def _link(self, key: object, following: Frame) -> Frame:
        """Remember the frame that a step leads to, if it belongs to the graph, and return it."""
        if self._enroll(following):
            if self._first is None:
                self._first_key = key
                self._first = following
            else:
                if self._links is None:
                    self._links = {}
                self._links[key] = following
        return following

    @cython.cfunc
    def _enroll(self, following: Frame) -> cython.bint:
        """Number a frame that follows this one; return False if it is to be in no graph."""
        graph: FrameGraph = self.graph
        if (
            graph is None
            or graph.size >= _MOST_FRAMES
            or following.captures
            or following.n_names > _MOST_NAMES
        ):
            return False
        graph.size += 1
        following.graph = graph
        following.number = graph.size
        return True

    @cython.cfunc
    def mark(self) -> bytes:
        """Return the number of the frame as bytes: in its graph no other frame has the same."""
        if self._mark is None:
            self._mark = int(self.number).to_bytes(4, "little")
        return self._mark

    @cython.ccall
    def closable(self) -> cython.bint:
        """Return whether the container may end now."""
        if self._closable < 0:
            if self.kind == OBJECT:
                face: ObjectFace = self.shape
                self._closable = face.closes_at_once(self.present, self.count)
            if self._closable < 0:
                self._closable = 1 if self.shape.closable(self) else 0
        return self._closable == 1

    @cython.ccall
    def offer(self) -> tuple[Any, ...]:
        """Return which keys of an object may follow: see `objects.Offer`."""
        if self._offer is None:
            face: ObjectFace = self.shape
            at_once = face.offer_at_once(self.blocked, self.count)
            if at_once is not None:
                return at_once
            with self.shape.machine.algebra.deadline:
                self._offer = self.shape.offer(self)
        return self._offer

    @cython.ccall
    def offered(self) -> bytes:
        """Return the named keys that may follow as bits, those of eight keys to a byte."""
        if self._offered is None:
            size = (len(self.shape.keys.names) + 7) // 8
            self._offered = self.offer()[0].to_bytes(size, "little")
        return self._offered

    @cython.ccall
    def item(self) -> object:
        """Return the entry of the next item of an array, or `None`."""
        if not self._item_known:
            with self.shape.machine.algebra.deadline:
                self._item = self.shape.entry(self)
            self._item_known = True
        return self._item

    @cython.ccall
    def continuable(self) -> cython.bint:
        """Return whether another member may follow."""
        if self.kind == ARRAY:
            return self.item() is not None
        offer = self.offer()
        return offer[0] != 0 or offer[1]

    @cython.ccall
    def named_entry(self, name: object) -> object:
        """Return the entry of a named key that is offered."""
        face: ObjectFace = self.shape
        entry = face.named.get(name) if face.simple else None
        return self.shape.named_entry(self, name) if entry is None else entry

    @cython.ccall
    def free_entry(self, vector: object) -> object:
        """Return the entry of a new key of a free class, or `None` if it is not offered."""
        face: ObjectFace = self.shape
        return self.shape.free_entry(self, vector) if face.free is None else face.free

    @cython.ccall
    def with_named_key(self, name: object) -> Frame | None:
        """Return the frame that reads the value of a named key, or `None` if it may not follow."""
        following: Frame = self._linked(name)
        if following is not None:
            return following
        if not self.offer()[0] >> name & 1:
            return None
        shape = self.shape
        face: ObjectFace = shape
        bit: object = 1 << name
        following = Frame(
            self.parent,
            OBJECT,
            shape,
            self.present | bit,
            self.blocked | (bit if face.in_any_order else shape.keys.blocked_by(name)),
            self.names,
            self.count + 1,
            self.named_entry(name),
        )
        if self.captures:
            following.key = shape.keys.names[name]
            following.members = self.members
        return self._link(name, following)

    def with_free_key(self, name: bytes, vector: int) -> Frame | None:
        """Return the frame that reads the value of a new key, or `None` if it may not follow."""
        following: Frame = self._linked(name)
        if following is not None:
            return following
        if not self.offer()[1] or name in self.names:
            return None
        shape = self.shape
        entry = self.free_entry(vector)
        if entry is None:
            return None
        keys = shape.keys
        blocked = self.blocked | keys.blocked_by_free()
        following = Frame(
            self.parent, OBJECT, shape, self.present, blocked, self.names.add(name), self.count + 1, entry
        )
        if self.captures:
            following.key = name
            following.members = self.members
        return self._link(name, following)

    def reading(self, entry: Any) -> Frame:
        """Return a frame that reads the value of some further property.

        Its key is not in its set of names: no further key may be ended with it.
        """
        return Frame(
            self.parent, OBJECT, self.shape, self.present, self.blocked, self.names, self.count + 1, entry
        )

    @cython.ccall
    def after_value(self, outcome: Any, value: object) -> Frame:
        """Return the frame after the value of the member that is being read.

        Args:
            outcome: the tracked formulas that the value satisfies, as bits.
            value: the value itself if values are captured, else `None`.
        """
        if self.captures:
            return self._after_captured(outcome, value)
        # Named keys have the numbers from 0 on.
        link: object = -1 - outcome
        following: Frame = self._linked(link)
        if following is not None:
            return following
        if self.kind == OBJECT:
            entry = self.entry
            shape = entry.single
            if shape is self.shape:
                return self
            if shape is None:
                shape = entry.after(outcome, None, False)
            following = Frame(
                self.parent, OBJECT, shape, self.present, self.blocked, self.names, self.count, None
            )
            return self._link(link, following)
        entry = self.item()
        shape = entry.after(outcome, None, False)
        if shape is self.shape and self.count >= shape.uniform_from:
            return self
        return self._link(link, Frame(self.parent, ARRAY, shape, 0, 0, _NO_NAMES, self.count + 1, None))

    def _after_captured(self, outcome: object, value: Any) -> Frame:
        following: Frame
        if self.kind == OBJECT:
            shape = self.entry.after(outcome, value, False)
            following = Frame(
                self.parent, OBJECT, shape, self.present, self.blocked, self.names, self.count, None
            )
        else:
            is_repeated = self.shape.collects and value in self.names
            shape = self.item().after(outcome, value, is_repeated)
            names = self.names
            if not shape.collects:
                names = _NO_NAMES
            elif not is_repeated:
                names = names.add(value)
            following = Frame(self.parent, ARRAY, shape, 0, 0, names, self.count + 1, None)
        if self.parent is not None and self.parent.captures:
            following.members = (self.members, self.key, value)
        return following

    @cython.ccall
    def value(self) -> object:
        """Return the value of a container that ends now, if the container around it captures values."""
        if self.parent is None or not self.parent.captures:
            return None
        found = []
        members = self.members
        while members is not None:
            members, key, value = members
            found.append((key, value))
        found.reverse()
        if self.kind == OBJECT:
            return object_value(dict(found))
        return array_value([value for _, value in found])


def root_frame() -> Frame:
    """Return the frame of a document of which nothing was read."""
    return Frame(None, -1, None, 0, 0, _NO_NAMES, 0, None)


@cython.ccall
def child_frame(parent: Frame, kind: cython.int, goal: Goal) -> Frame:
    """Return the frame of a container that has just been opened under `parent`."""
    # The frame tells the goal of the value that is due, so it has one child of each kind.
    child: Frame = parent._object_child if kind == OBJECT else parent._array_child
    if child is not None:
        return child
    shape = goal.object_shape() if kind == OBJECT else goal.array_shape()
    child = Frame(parent, kind, shape, 0, 0, _NO_NAMES, 0, None)
    if parent._enroll(child):
        if kind == OBJECT:
            parent._object_child = child
        else:
            parent._array_child = child
    return child
