"""A card that someone has written into is refused in one line, which says what is wrong with it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from small_policy import small_policy

from robossl.errors import RobosslError
from robossl.policies.saving import ExecutionSpec, load_policy, load_policy_card, save_policy


def _damaged(path: Path, **values: Any) -> Path:
    network = small_policy("mlp", visual=False, chunk_length=8)
    execution = ExecutionSpec(execute_steps=8)
    save_policy(network, path, execution=execution, card_extra={"trained_on": {"seeds": [1]}})
    card = path / "policy.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | values))
    return path


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"trained_on": None}, "policy.json has trained_on null, which must be a mapping; finetune again"),
        ({"trained_on": {"seeds": 3}}, "has trained_on.seeds 3, which must be a list"),
        ({"cameras": None}, "has cameras null, which must be a list of names"),
        ({"head": []}, "has head [], which must be a mapping"),
        ({"format": 99}, "is of format 99, and only 1 is known"),
    ],
)
def test_what_a_card_holds_is_of_its_kind(tmp_path: Path, values: dict[str, Any], text: str) -> None:
    with pytest.raises(RobosslError, match=re.escape(text)):
        load_policy_card(_damaged(tmp_path / "policy", **values))


@pytest.mark.parametrize(
    ("execution", "text"),
    [
        ({"execute_steps": 99}, "policy.json has execute_steps 99, which must be 1 to chunk_length=8; finetune again"),
        ({"execute_steps": 0}, "has execute_steps 0"),
        ({"execute_steps": None}, "has execute_steps null"),
        ({"execution": "whole"}, 'has execution "whole", which must be one of receding, ensemble'),
    ],
)
def test_chunks_are_executed_as_far_as_they_go(tmp_path: Path, execution: dict[str, Any], text: str) -> None:
    with pytest.raises(RobosslError, match=re.escape(text)):
        load_policy(_damaged(tmp_path / "policy", execution=execution))


def test_a_card_of_the_first_version_is_read(tmp_path: Path) -> None:
    path = _damaged(tmp_path / "policy")
    card = json.loads((path / "policy.json").read_text())
    for name in ("format", "trained_on", "image_size"):
        del card[name]
    (path / "policy.json").write_text(json.dumps(card))
    assert load_policy(path)[1].execute_steps == 8
