# ruff: noqa: E501, ISC004 -- the tables are read by column, and hold whole sentences
"""Recipes that do not hang together, and jobs that do not fit them: everything is said at once."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from haulier.core.problem import Fault, Problem
from haulier.core.recipe import Recipe, Reuse
from haulier.engine.recipes.reading import MOST_FAULTS
from haulier.engine.registry import Kinds
from haulier.testing.pipes import FAMILY

KINDS = Kinds([FAMILY])
MADE = {"id": "made", "type": "MAKE_NUMBERS", "inputs": {}}
TOTAL = {"id": "total", "type": "ADD_NUMBERS", "inputs": {"numbers": "step:made.numbers"}}
HASH = "ab" * 32


def planned(
    steps: object,
    *,
    on_exit: object = None,
    **job: Any,
) -> Recipe:
    """Compile a job of a recipe."""
    definition: dict[str, Any] = {"recipe": steps}
    if on_exit is not None:
        definition["on_exit"] = on_exit
    recipe = {"name": "r", "version": "1", "definition": definition}
    params = KINDS.decode(KINDS.get("RECIPE"), {"recipe": recipe, **job})
    return KINDS.family_of("RECIPE").plan("RECIPE", params)


def faults(steps: object, **job: Any) -> tuple[Fault, ...]:
    """Give what is wrong with a job of a recipe."""
    with pytest.raises(Problem) as caught:
        planned(steps, **job)
    return caught.value.faults


def change(step: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    return {**step, **members}


# fmt: off
WRONG = [
    ("x",                                         'Recipe definition must contain a "recipe" array', ""),
    ([],                                          "Recipe must contain at least one step", ""),
    ([change(MADE, id=3)],                        'Step must have a string "id"', ""),
    ([change(MADE, id="Not-legal")],              "Step id must be lower case letters", ""),
    ([change(MADE, type=None)],                   'Step must have a string "type"', ""),
    ([change(MADE, inputs=[])],                   'Step must have an "inputs" object (slot -> artifact mapping)', ""),
    ([MADE, MADE],                                "Duplicate step ID: made", ""),
    ([change(MADE, type="MAKE_NUMBER")],          "Unsupported step type: MAKE_NUMBER", "MAKE_NUMBERS"),
    ([change(MADE, type="MAKE_NUMBERS@7")],       "Unsupported step type: MAKE_NUMBERS@7", "MAKE_NUMBERS"),
    ([MADE, change(TOTAL, inputs={})],            'Step "total" missing required input slot: numbers', ""),
    ([MADE, change(TOTAL, inputs={"numbers": "step:made.numbers", "number": "step:made.numbers"})],
                                                  'Step "total" has invalid input slot: number. Accepted slots: numbers', "numbers"),
    ([change(MADE, outputs={})],                  'Step "made" missing required output: numbers', ""),
    ([change(MADE, outputs={"numbers": "step:made.numbers", "sum": "step:made.sum"})],
                                                  'Step "made" has invalid output: sum. Produced outputs: numbers', ""),
    ([change(MADE, outputs={"numbers": "step:other.numbers"})],
                                                  'Step "made" output numbers must be "step:made.numbers"', "step:made.numbers"),
    ([change(MADE, outputs={"numbers": "step:a.b"}), change(MADE, id="twin", outputs={"numbers": "step:a.b"})],
                                                  'Duplicate output artifact "step:a.b": produced by both step "made" and step "twin". '
                                                  "Each artifact name must be unique.", ""),
    ([MADE, change(TOTAL, inputs={"numbers": "step:made.number"})],
                                                  "Unresolved input artifact: step:made.number", "step:made.numbers"),
    ([MADE, change(TOTAL, inputs={"numbers": "made"})],
                                                  "Unresolved input artifact: made", ""),
    ([change(TOTAL, inputs={"numbers": "step:total.sum"})],
                                                  "Recipe contains a cycle", ""),
    ([change(TOTAL, id="a", inputs={"numbers": "step:b.sum"}), change(TOTAL, id="b", inputs={"numbers": "step:a.sum"})],
                                                  "Recipe contains a cycle", ""),
    ([MADE, {"id": "tree", "type": "GROW_TREE", "params": {"depth": 1}, "inputs": {"numbers": "step:made.numbers"}},
      change(TOTAL, inputs={"numbers": "step:tree.tree"})],
                                                  'Step "total" slot mismatch: numbers takes numbers, but "step:tree.tree" is tree', ""),
    ([MADE, {"id": "tree", "type": "GROW_TREE", "params": {"depth": 1}, "inputs": {"numbers": ["step:made.numbers"]}}],
                                                  'Step "tree" takes one artifact in slot numbers, got a list', ""),
    ([change(MADE, param_keys=["cuont"])],        'Step "made" has no parameter cuont. Parameters: count, step', "count"),
    ([change(MADE, params={"many": 1})],          'Step "made" has no parameter many. Parameters: count, step', ""),
    ([change(MADE, retries={"max": 99})],         'Step "made": retries.max must be int <= 10, got 99', ""),
    ([change(MADE, cache="maybe")],               'Step "made": cache must be one of off, refresh, use, got', ""),
    ([change(MADE, colour="red")],                'Step "made": colour is no parameter that is known', ""),
    ([MADE, change(TOTAL, inputs={"numbers": 5})], 'Step "total" slot numbers must be "job:NAME", "step:ID.SLOT"', ""),
    ([MADE, change(TOTAL, inputs={"numbers": []})], 'Step "total" slot numbers must be "job:NAME", "step:ID.SLOT"', ""),
    ([change(MADE, id=f"s{n}") for n in range(1001)], "Recipe must contain at most 1000 steps", ""),
]
# fmt: on


@pytest.mark.parametrize(("steps", "said", "meant"), WRONG)
def test_a_recipe_that_does_not_hang_together_is_refused_in_words(
    steps: object, said: str, meant: str
) -> None:
    found = faults(steps)

    told = [fault for fault in found if said in fault.detail]
    assert told, f"{said!r} must be among {[fault.detail for fault in found]}"
    assert told[0].suggestion == meant
    assert told[0].at.startswith("recipe.definition.recipe")
    assert told[0].word.isupper()


def test_every_fault_of_a_recipe_is_said_at_once() -> None:
    steps = [change(MADE, id=""), change(MADE, type="X"), change(TOTAL, inputs={"numbers": "y"})]

    assert {fault.word for fault in faults(steps)} == {"BAD_ID", "UNKNOWN_TYPE", "UNRESOLVED_REF"}


def test_a_thousand_faults_are_looked_at_no_longer_than_fifty() -> None:
    steps = [
        change(TOTAL, id=f"step_{n}", inputs={"numbers": f"step:stop_{n}.sum"}) for n in range(1000)
    ]

    began = time.process_time()
    found = faults(steps)

    assert len(found) == MOST_FAULTS
    assert found[0].suggestion.startswith("step:step_")
    assert time.process_time() - began < 10, "what was meant was looked for minutes"


LOADED = change(TOTAL, inputs={"numbers": "job:in"}, param_keys=["factor"])
INPUT = {"type": "numbers", "uri": "a/b.txt"}

# fmt: off
UNFIT = [
    ({},                                                      "Missing required initial input artifact: job:in", "MISSING_INPUT"),
    ({"inputs": {"job:in": INPUT, "job:x": INPUT}},           'Unexpected input artifact "job:x": not required by recipe. Required inputs: job:in', "UNEXPECTED_INPUT"),
    ({"inputs": {"job:in": {**INPUT, "type": "tree"}}},       'slot mismatch: numbers takes numbers, but "job:in" is tree', "SLOT_MISMATCH"),
    ({"inputs": {"job:in": {**INPUT, "uri": "../etc"}}},      "none '.' or '..'", "BAD_URI"),
    ({"inputs": {"job:in": {**INPUT, "uri": "/etc/passwd"}}}, "must be file names", "BAD_URI"),
    ({"inputs": {"job:in": {**INPUT, "uri": "s3://b/k"}}},    'must be a path in the storage or "storage://NAME/path"', "BAD_URI"),
    ({"inputs": {"job:in": INPUT}, "params": {"total": {"factor": "x"}}}, 'Step "total": factor', "BAD_PARAM"),
    ({"inputs": {"job:in": INPUT}, "params": {"total": {"act": "add"}}},  'Step "total" lets a job set no act', "UNEXPECTED_PARAM"),
    ({"inputs": {"job:in": INPUT}, "params": {"totl": {}}},   'Parameters of "totl", which is no step', "UNKNOWN_STEP"),
    ({"inputs": {"job:in": INPUT}, "outputs": {"step:total.sun": {"path": "x"}}},
                                                              'Invalid job output "step:total.sun": artifact is not producible by recipe. Producible artifacts: step:total.sum', "UNKNOWN_OUTPUT"),
    ({"inputs": {"job:in": INPUT}, "outputs": {"step:total.sum": {"path": "../x"}}}, "none '.' or '..'", "BAD_URI"),
]
# fmt: on


@pytest.mark.parametrize(("job", "said", "word"), UNFIT)
def test_a_job_that_does_not_fit_its_recipe_is_refused_in_words(
    job: dict[str, Any], said: str, word: str
) -> None:
    found = [fault for fault in faults([LOADED], **job) if fault.word == word]

    assert any(said in fault.detail for fault in found), faults([LOADED], **job)


def test_a_parameter_without_a_value_is_missing_by_name() -> None:
    tree = {"id": "tree", "type": "GROW_TREE", "inputs": {"numbers": "step:made.numbers"}}

    (fault,) = faults([MADE, {**tree, "param_keys": ["depth"]}])

    assert fault.detail == 'Step "tree" missing required parameter: depth'
    assert fault.at == "params.tree.depth"


def test_two_results_cannot_go_to_one_place() -> None:
    outputs = {"step:made.numbers": {"path": "x"}, "step:total.sum": {"path": "x"}}

    (fault,) = faults([MADE, TOTAL], outputs=outputs)

    assert fault.word == "SAME_PLACE"


@pytest.mark.parametrize("hidden", ["step:made.numbers", "job:in"])
def test_a_folder_may_not_take_the_place_of_another_output_or_an_input(hidden: str) -> None:
    tree = {"id": "tree", "type": "GROW_TREE", "inputs": {"numbers": "job:in"}}
    outputs = {"step:tree.tree": {"path": "out"}}
    given = {"job:in": {**INPUT, "uri": "out/in.txt" if hidden == "job:in" else "in.txt"}}
    if hidden != "job:in":
        outputs[hidden] = {"path": "out/made.txt"}

    (fault,) = faults([MADE, {**tree, "params": {"depth": 1}}], inputs=given, outputs=outputs)

    assert fault.word == "NESTED_PLACE"
    assert f'"{hidden}" lies below out' in fault.detail


def test_a_recipe_becomes_steps_that_need_what_they_take() -> None:
    hook = {"id": "hook", "type": "CALL_WEBHOOK", "params": {"webhook_url": "http://x/"}}
    recipe = planned(
        [TOTAL, change(MADE, cache="off", timeout_s=5, retries={"max": 2, "on": ["oom"]})],
        on_exit={**hook, "inputs": {"waits_for": "step:total.sum"}},
        outputs={"step:total.sum": {"path": "out/sum.txt", "overwrite": "error"}},
    )

    total, made, closing = recipe.steps
    assert (total.needs, total.inputs) == (("made",), {"numbers": "step:made.numbers"})
    assert (made.needs, made.reuse, made.timeout_s, made.retries.most) == ((), Reuse.OFF, 5, 2)
    assert (closing.closing, closing.optional, closing.after) == (True, True, ("total", "made"))
    assert closing.inputs == {}
    assert recipe.deliveries[0].to.filename == "out/sum.txt"


def test_what_is_wrong_with_an_output_is_told_at_its_name() -> None:
    with pytest.raises(Problem, match=r"must be str, got 3") as caught:
        planned([MADE], outputs={"step:made.numbers": {"path": 3}})

    assert caught.value.at == "outputs.step:made.numbers.path"


def test_everything_that_is_wrong_within_a_step_and_its_parameters_is_said() -> None:
    within = faults([change(MADE, cache="maybe", outputs={"numbers": 3})])
    said = {"params": {"made": {"count": 0, "step": "x"}}}
    params = faults([change(MADE, param_keys=["count", "step"])], **said)

    at = "recipe.definition.recipe[0]"
    assert [fault.at for fault in within] == [f"{at}.outputs.numbers", f"{at}.cache"]
    assert [fault.at for fault in params] == ["params.made.count", "params.made.step"]


def test_a_hash_that_is_one_is_to_be_checked_and_a_label_is_not() -> None:
    for written, expected in [(f"sha256:{HASH}", HASH), (HASH.upper(), HASH), ("abc123", None)]:
        recipe = planned([LOADED], inputs={"job:in": {**INPUT, "hash": written}})

        assert [check.sha256 for check in recipe.steps[0].checks] == (
            [expected] if expected else []
        )


def test_an_input_may_lie_in_a_storage_that_is_named() -> None:
    there = {**INPUT, "uri": "storage://mine/a/b.txt"}

    recipe = planned([LOADED], inputs={"job:in": there})

    assert recipe.steps[0].inputs == {"numbers": {"storage": "mine", "filename": "a/b.txt"}}


def test_a_preset_is_known_by_its_name() -> None:
    params = KINDS.decode(KINDS.get("RECIPE"), {"recipe": {"name": "count-up"}})

    recipe = KINDS.family_of("RECIPE").plan("RECIPE", params)

    assert [step.id for step in recipe.steps] == ["made", "total"]
    with pytest.raises(Problem, match=r"count-up 1\.0\.0"):
        planned_preset("count-down")


def planned_preset(name: str) -> Recipe:
    params = KINDS.decode(KINDS.get("RECIPE"), {"recipe": {"name": name}})
    return KINDS.family_of("RECIPE").plan("RECIPE", params)
