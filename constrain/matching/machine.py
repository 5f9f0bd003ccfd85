"""The pushdown automaton of one constraint: its goals, shapes and emptiness, built lazily."""

from __future__ import annotations

from collections.abc import Collection

from constrain.automata.formulas_cy import TRUE
from constrain.matching.algebra import Algebra
from constrain.matching.array_plans import ArrayPlanner
from constrain.matching.arrays import ArrayShape
from constrain.matching.atoms import AllProperties, ObjectIn, Required
from constrain.matching.emptiness import Emptiness, Plan
from constrain.matching.frames_cy import Frame, FrameGraph, Goal
from constrain.matching.keys import KeySpace
from constrain.matching.object_plans import plan_object
from constrain.matching.objects import ObjectShape
from constrain.matching.population import Population
from constrain.matching.values import Value

__all__ = ["Machine"]

#: The atoms that tell keys apart.
_ABOUT_KEYS = (AllProperties, Required, ObjectIn)


class Machine:
    """Interns the goals and shapes that decoding arrives at.

    Attributes:
        algebra: the formulas and scalar automata.
        emptiness: decides which goals have values.
        root: the goal of the document.
    """

    def __init__(self, algebra: Algebra, root: int) -> None:
        self.algebra = algebra
        self.emptiness = Emptiness(algebra, self.plan_object, self.plan_array)
        self._population: Population | None = None
        #: Texts of scalar goals, for completions.
        self.witnesses: dict[int, bytes] = {}
        #: By frame, what completes the document after a value in it.
        self.rests: dict[int, bytes] = {}
        self._goals: dict[tuple[int, tuple[int, ...]], Goal] = {}
        self._key_spaces: dict[frozenset[int], KeySpace] = {}
        self._object_shapes: dict[tuple[KeySpace, int, tuple[int, ...]], ObjectShape] = {}
        self._array_shapes: dict[tuple[int, tuple[int, ...]], ArrayShape] = {}
        self.root = self.goal(root)
        self._graph: FrameGraph | None = None

    @property
    def population(self) -> Population:
        """What enumerates the values of goals."""
        if self._population is None:
            self._population = Population(self)
        return self._population

    def dispose(self) -> None:
        """Cut the cycles among the parts, so that they are freed when the last reference to each is gone.

        Nothing of the machine may be used afterwards.
        """
        if self._graph is not None:
            self._graph.dispose()
        for face in self._object_shapes.values():
            face.forget()
        for shape in (*self._object_shapes.values(), *self._array_shapes.values()):
            vars(shape).clear()
        for keys in self._key_spaces.values():
            vars(keys).clear()
        vars(self.algebra).clear()
        vars(self).clear()

    def root_frame(self) -> Frame:
        """Return the frame of a document of which nothing was read; under the lock of the constraint."""
        graph = self._graph
        if graph is None:
            graph = self._graph = FrameGraph(0)
        elif graph.is_full:
            # Documents that are being written go on with its frames, which are not remembered any more.
            older, graph = graph, FrameGraph(graph.serial + 1)
            self._graph = graph
            older.dispose()
        frame: Frame = graph.root
        return frame

    def goal(self, formula: int, tracked: tuple[int, ...] = ()) -> Goal:
        """Return the goal with this formula and these tracked formulas."""
        key = (formula, tracked)
        goal = self._goals.get(key)
        if goal is None:
            goal = Goal(self, formula, tracked)
            self._goals[key] = goal
        return goal

    def object_shape(self, keys: KeySpace, formula: int, tracked: tuple[int, ...]) -> ObjectShape:
        """Return the shape of an object whose formulas have become these."""
        key = (keys, formula, tracked)
        shape = self._object_shapes.get(key)
        if shape is None:
            shape = ObjectShape(self, keys, formula, tracked)
            self._object_shapes[key] = shape
        return shape

    def array_shape(self, formula: int, tracked: tuple[int, ...]) -> ArrayShape:
        """Return the shape of an array whose formulas have become these."""
        key = (formula, tracked)
        shape = self._array_shapes.get(key)
        if shape is None:
            shape = ArrayShape(self, formula, tracked)
            self._array_shapes[key] = shape
        return shape

    def key_space(self, formulas: tuple[int, ...]) -> KeySpace:
        """Return the classes of keys that object formulas can tell apart."""
        arena = self.algebra.formulas
        values = arena.values
        found: list[int] = []
        for formula in formulas:
            found += [v for v in arena.support(formula) if isinstance(values[v], _ABOUT_KEYS)]
        variables = frozenset(found)
        space = self._key_spaces.get(variables)
        if space is None:
            maps: list[AllProperties] = []
            more: list[list[bytes]] = []
            objects: list[Value] = []
            for variable in sorted(variables):
                atom = values[variable]
                if isinstance(atom, AllProperties):
                    maps.append(atom)
                elif isinstance(atom, Required):
                    more.append(sorted(atom.names))
                elif isinstance(atom, ObjectIn):
                    objects += atom.values
            # The keys of values that were written, which others have to differ from, have no order.
            listed = [self.algebra.listed.get(value) for value in objects]
            more += sorted(list(value.members) for value in listed if value is not None)
            loose = sorted({name for value in objects for name in value.members})
            space = self._key_spaces[variables] = KeySpace(self.algebra, maps, more, loose)
        return space

    def array_planner(
        self, count: int = 0, values: Collection[Value] = (), is_open: bool = False
    ) -> ArrayPlanner:
        """Return what answers questions about an open array; see `ArrayPlanner`."""
        return ArrayPlanner(
            self.algebra,
            self.emptiness.is_nonempty,
            self.population,
            count=count,
            values=values,
            is_open=is_open,
        )

    def plan_object(self, formula: int) -> Plan | None:
        """Return properties that make a formula true of an object, or `None`."""
        return plan_object(self.algebra, self.emptiness.is_nonempty, self.key_space((formula,)), formula)

    def plan_array(self, formula: int) -> Plan | None:
        """Return items that make a formula true of an array, or `None`."""
        return [] if formula == TRUE else self.array_planner().plan(formula)
