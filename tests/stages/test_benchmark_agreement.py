"""Agreement over the policies of a task, where there are enough of them."""

from robossl.evaluation.agreement import agreement
from robossl.stages.benchmark_agreement import agreements
from robossl.stages.benchmark_cells import Cell

HERE = [0, 1, 2, 3, 4, 5, 6, 7]
THERE = [0, 2, 1, 3, 4, 6, 5, 7]


def _result(successes: tuple[int, int]) -> dict[str, object]:
    domains = {
        name: {"episodes": [{"success": index < count} for index in range(8)]}
        for name, count in zip(("here", "there"), successes, strict=True)
    }
    return {"domains": domains}


def test_each_cell_of_a_task_is_a_policy() -> None:
    found = [
        (Cell(task=task, variant="ours", seed=seed, settings={}), _result(successes))
        for task, count in (("reach", 8), ("push", 7))
        for seed, successes in enumerate(list(zip(HERE, THERE, strict=True))[:count])
    ]
    made = agreements(found, source="here", target="there")
    assert made is not None
    expected = agreement(source=[value / 8 for value in HERE], target=[value / 8 for value in THERE])
    assert expected.pearson is not None
    assert made["rows"] == [["reach", 8, round(expected.pearson, 3), round(expected.rank_violation, 3)]], "7 are few"
    assert agreements(found[8:], source="here", target="there") is None
