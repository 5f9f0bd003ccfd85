"""What is said to have a most simple value at a glance has one when it is looked into."""

from __future__ import annotations

import random

import constrain
from tests.support.random_schemas import random_schema


def test_a_simple_value_is_a_value() -> None:
    simple = 0
    for number in range(400):
        schema = random_schema(random.Random(number))
        try:
            constraint = constrain.compile_json_schema(schema)
        except constrain.UnsatisfiableError:
            continue
        emptiness = constraint._machine.emptiness
        formulas = constraint._machine.algebra.formulas
        for node in list(constraint._compiler._nodes.values()):
            if node.has_simple_value():
                simple += 1
                goal = formulas.variable(node)
                assert any(emptiness.is_kind_nonempty(goal, kind) for kind in range(7)), (number, node)
    assert simple > 100
