"""The keys of an object as classes that its formulas cannot tell apart.

Each key that a schema names is a class of its own. All other keys are grouped by membership in
the pattern languages that the object's atoms mention: a *free class* is such a membership
vector, as an integer with bit i for pattern i.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice

from constrain.automata.formulas_cy import FALSE, TRUE
from constrain.automata.languages_cy import Language
from constrain.automata.lazy_dfa_cy import LazyDfa, any_text_automaton
from constrain.errors import LimitExceeded
from constrain.matching.algebra import Algebra
from constrain.matching.atoms import AllProperties
from constrain.matching.cover import Cover
from constrain.matching.key_trie_cy import KeyTrie
from constrain.matching.object_face_cy import FEW_WORDS

__all__ = ["Demands", "Kept", "KeySpace"]


class Demands:
    """What one atom asks of the values of keys.

    Attributes:
        only_named: whether it asks nothing of keys that are not named; then `asking` is complete.
        asking: named key -> goal, for goals other than `TRUE`.
    """

    __slots__ = ("_atom", "_keys", "_named", "asking", "only_named")

    def __init__(self, keys: KeySpace, atom: AllProperties) -> None:
        self._keys = keys
        self._atom = atom
        self._named: dict[int, int] = {}
        self.only_named = atom.rest == TRUE and not atom.patterns
        self.asking: dict[int, int] = {}
        if self.only_named:
            index = keys.index
            self.asking = {index[name]: goal for name, goal in atom.names.items() if goal != TRUE}

    def of_named(self, name: int) -> int:
        """Return what is asked of the value of a named key."""
        if self.only_named:
            return self.asking.get(name, TRUE)
        goal = self._named.get(name)
        if goal is None:
            goal = self._keys.named_goal(self._atom, name)
            self._named[name] = goal
        return goal

    def of_free(self, vector: int) -> int:
        """Return what is asked of the value of a key of a free class."""
        return TRUE if self.only_named else self._keys.free_goal(self._atom, vector)


class Kept:
    """What atoms that have to stay true ask together of the values of keys."""

    __slots__ = ("_formulas", "_named", "_together", "_violable", "_violations")

    def __init__(self, keys: KeySpace, together: tuple[Demands, ...]) -> None:
        self._formulas = keys.algebra.formulas
        self._together = together
        self._named: dict[int, int] = {}
        self._violations: dict[Demands, list[tuple[int, int]]] = {}
        self._violable: dict[Demands, int] = {}

    def of_named(self, name: int) -> int:
        """Return the goal of a named key."""
        goal = self._named.get(name)
        if goal is None:
            goal = self._formulas.conjunction({demands.of_named(name) for demands in self._together})
            self._named[name] = goal
        return goal

    def of_free(self, vector: int) -> int:
        """Return the goal of a key of a free class."""
        return self._formulas.conjunction({demands.of_free(vector) for demands in self._together})

    def violations(self, demands: Demands) -> list[tuple[int, int]]:
        """Return named keys with the goals of values that turn an atom about named keys false."""
        found = self._violations.get(demands)
        if found is None:
            found = [
                (name, self._formulas.ite(asked, FALSE, self.of_named(name)))
                for name, asked in demands.asking.items()
            ]
            self._violations[demands] = found
        return found

    def violable(self, demands: Demands, is_nonempty: Callable[[int], bool]) -> int:
        """Return the named keys that can turn an atom about named keys false, as bits.

        Args:
            is_nonempty: tells whether a goal has values, once for all.
        """
        found = self._violable.get(demands)
        if found is None:
            found = 0
            for name, both in self.violations(demands):
                if is_nonempty(both):
                    found |= 1 << name
            self._violable[demands] = found
        return found


class _Memos:
    """What a key space remembers; most are asked nothing of it."""

    def __init__(self, patterns: list[Language]) -> None:
        self.pattern_bits = {language: bit for bit, language in enumerate(patterns)}
        self.named_vectors: dict[int, int] = {}
        self.free_languages: dict[int, Language] = {}
        self.finite_words: dict[int, list[bytes] | None] = {}
        self.blocked_after: dict[int, int] = {}
        self.demands: dict[AllProperties, Demands] = {}
        self.kept: dict[tuple[Demands, ...], Kept] = {}


class KeySpace:
    """The classes of keys for a set of `AllProperties` atoms and more named keys, in this order.

    Args:
        loose: named keys that have no order if they are not among the others.

    Attributes:
        names: the named keys, sorted; a class is written as the index of its key.
        trie: the named keys by their bytes.
        patterns: the languages whose membership makes the free classes.
    """

    MAX_PATTERNS = 64
    #: Sets of atoms whose demands are remembered.
    MAX_KEPT = 1024

    def __init__(
        self,
        algebra: Algebra,
        atoms: Iterable[AllProperties],
        more: Iterable[Iterable[bytes]],
        loose: Iterable[bytes] = (),
    ) -> None:
        self.algebra = algebra
        declared: dict[bytes, None] = {}
        patterns: dict[Language, None] = {}
        for atom in atoms:
            declared.update(dict.fromkeys(atom.names))
            if atom.patterns:
                patterns.update(dict.fromkeys([language for language, _ in atom.patterns]))
        for names in more:
            declared.update(dict.fromkeys(names))
        self._n_ordered = len(declared)
        declared.update(dict.fromkeys(loose))
        self.trie = KeyTrie(declared)
        self.names: list[bytes] = self.trie.names
        self.index = {name: index for index, name in enumerate(self.names)}
        self._declared = declared
        # Not every object needs these.
        self._order: list[int] | None = None
        self._cover: Cover | None = None
        self.patterns = list(patterns)
        if len(self.patterns) > self.MAX_PATTERNS:
            raise LimitExceeded(
                "too many different patterns for the keys of one object", limit=self.MAX_PATTERNS
            )
        self.all_names = (1 << len(self.names)) - 1
        #: Runs over any key; its outcomes are the free classes.
        self.automaton: LazyDfa = (
            algebra.dfa(algebra.languages.any_text, tuple(self.patterns))
            if self.patterns
            else any_text_automaton()
        )
        self._free_classes: list[int] | None = None
        self._some_memos: _Memos | None = None

    @property
    def _memos(self) -> _Memos:
        if self._some_memos is None:
            self._some_memos = _Memos(self.patterns)
        return self._some_memos

    @property
    def order(self) -> list[int]:
        """Per named key, its place in the declared order."""
        if self._order is None:
            places = {name: place for place, name in enumerate(self._declared)}
            self._order = [places[name] for name in self.names]
        return self._order

    @property
    def cover(self) -> Cover:
        """The case splits of formulas about these keys."""
        if self._cover is None:
            self._cover = Cover(self.algebra, self)
        return self._cover

    def demands(self, atom: AllProperties) -> Demands:
        """Return what an atom asks of the values of keys."""
        demands = self._memos.demands.get(atom)
        if demands is None:
            demands = Demands(self, atom)
            self._memos.demands[atom] = demands
        return demands

    def kept(self, together: tuple[Demands, ...]) -> Kept:
        """Return what atoms that have to stay true ask together."""
        known = self._memos.kept
        kept = known.get(together)
        if kept is None:
            if len(known) >= self.MAX_KEPT:
                known.clear()
            kept = known[together] = Kept(self, together)
        return kept

    def bits(self, names: Iterable[bytes]) -> int:
        """Return named keys as bits."""
        index = self.index
        found = 0
        for name in names:
            found |= 1 << index[name]
        return found

    def vector_of(self, name_index: int) -> int:
        """Return the membership vector of a named key."""
        if not self.patterns:
            return 0
        vector = self._memos.named_vectors.get(name_index)
        if vector is None:
            vector = self.class_of(self.names[name_index])
            self._memos.named_vectors[name_index] = vector
        return vector

    def class_of(self, key: bytes) -> int:
        """Return the membership vector of any key."""
        state = self.automaton.start
        for byte in key:
            state = self.automaton.step(state, byte)
        return int(self.automaton.outcome(state))

    def named_goal(self, atom: AllProperties, name_index: int) -> int:
        """Return what `atom` asks of the value of a named key."""
        own = atom.names.get(self.names[name_index])
        if not atom.patterns:
            return atom.rest if own is None else own
        return self._goal(atom, own, self.vector_of(name_index))

    def free_goal(self, atom: AllProperties, vector: int) -> int:
        """Return what `atom` asks of the value of a key of a free class."""
        return self._goal(atom, None, vector) if atom.patterns else atom.rest

    def _goal(self, atom: AllProperties, own: int | None, vector: int) -> int:
        goals = [] if own is None else [own]
        goals += [
            goal for language, goal in atom.patterns if vector >> self._memos.pattern_bits[language] & 1
        ]
        return self.algebra.formulas.conjunction(goals) if goals else atom.rest

    def blocked_by(self, name_index: int) -> int:
        """Return the names that cannot follow this one, as bits: in schema order all earlier ones.

        A key without an order comes after those that have one, as free keys do.
        """
        if self.algebra.options.property_order == "any":
            return 1 << name_index
        blocked = self._memos.blocked_after.get(name_index)
        if blocked is None:
            place = min(self.order[name_index], self._n_ordered)
            blocked = 1 << name_index | sum(
                1 << i for i, other in enumerate(self.order) if other <= place and other < self._n_ordered
            )
            self._memos.blocked_after[name_index] = blocked
        return blocked

    def blocked_by_free(self) -> int:
        """Return the names that cannot follow a free key, as bits: in schema order all that have an order."""
        if self.algebra.options.property_order == "any":
            return 0
        return sum(1 << i for i, place in enumerate(self.order) if place < self._n_ordered)

    # Free classes

    def free_classes(self) -> list[int]:
        """Return the vectors of all free classes that hold at least one key."""
        if self._free_classes is None:
            languages = self.algebra.languages
            named = languages.complement(languages.literals(self.names))
            found = [(0, named)]
            for bit, pattern in enumerate(self.patterns):
                split = []
                outside = languages.complement(pattern)
                for vector, language in found:
                    inside_part = languages.intersection(language, pattern)
                    if not languages.is_empty(inside_part):
                        split.append((vector | 1 << bit, inside_part))
                    outside_part = languages.intersection(language, outside)
                    if not languages.is_empty(outside_part):
                        split.append((vector, outside_part))
                found = split
                if len(found) > self.algebra.options.max_steps // 100:
                    raise LimitExceeded("the patterns of one object split its keys into too many classes")
            self._memos.free_languages = dict(found)
            self._free_classes = [vector for vector, _ in found]
        return self._free_classes

    def free_language(self, vector: int) -> Language:
        """Return the keys of a free class; named keys are not in it."""
        self.free_classes()
        return self._memos.free_languages[vector]

    def finite_words(self, vector: int) -> list[bytes] | None:
        """Return the keys of a free class if they are few, else `None`: it never runs out."""
        if not self.patterns:
            return None
        known = self._memos.finite_words
        if vector not in known:
            automaton = self.algebra.dfa(self.free_language(vector))
            known[vector] = automaton.words(automaton.start, FEW_WORDS)
        return known[vector]

    def n_words(self, vector: int) -> int | None:
        """Return how many keys a free class has, `None` if they are endless."""
        if not self.patterns:
            return None
        automaton = self.algebra.dfa(self.free_language(vector))
        return automaton.n_words(automaton.start)

    def is_used_up(self, vector: int, names: Collection[bytes]) -> bool:
        """Return whether `names` hold every key of a free class that is not listed."""
        if len(names) <= FEW_WORDS:
            return False
        n_words = self.n_words(vector)
        if n_words is None or n_words > len(names):
            return False
        return n_words == sum(self.class_of(name) == vector for name in names)

    def fresh_keys(self, vector: int, taken: Iterable[bytes], count: int) -> list[bytes]:
        """Return `count` keys of a free class that are not in `taken`."""
        automaton = self.algebra.dfa(self.free_language(vector))
        used = set(taken)
        fresh = (word for word in automaton.iter_words(automaton.start) if word not in used)
        return list(islice(fresh, count))
