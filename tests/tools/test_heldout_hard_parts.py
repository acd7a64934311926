"""Each part of the hard held-out domain is taken away for as long as it is measured without it."""

from types import ModuleType
from typing import Any

import pytest
from tool_module import load_tool

from robossl_envs.cameras import CAMERAS
from robossl_envs.rendering.look import Light
from robossl_envs.simulation.scene import Dynamics


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("heldout_hard_parts")


def parts_that_differ(tool: ModuleType) -> set[str]:
    """Return what of the domain is not as in the plain world, as the envs see it now."""
    worlds: Any = tool.randomization
    look = worlds.hard_look(0, CAMERAS)
    differs = {
        "clutter": bool(tool.env.CLUTTER),
        "camera": look.cameras != dict(CAMERAS),
        "light": look.light != Light(),
        "dynamics": worlds.hard_dynamics(0, ()) != Dynamics(),
        "delay": worlds.hard_delay_s(0) > 0,
    }
    return {name for name, does in differs.items() if does}


def test_one_part_is_missing_and_comes_back(tool: ModuleType) -> None:
    everything = set(tool.PARTS) - {"nothing"}
    for part in tool.PARTS:
        with tool._without(part):
            assert parts_that_differ(tool) == everything - {part}
        assert parts_that_differ(tool) == everything
