"""The frozen held-out domain."""

import colorsys
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robossl_envs import heldout
from robossl_envs.arms import load_robot, load_task
from robossl_envs.cameras import CAMERAS, FRONT, WRIST
from robossl_envs.errors import EnvError
from robossl_envs.heldout import HELDOUT_SHA256, MORE_SHA256, NUM_LOOKS, heldout_dynamics, heldout_look
from robossl_envs.rendering.look import Surface
from robossl_envs.rendering.textures import texture_pool
from robossl_envs.simulation.scene import SceneSpec

LOOKS = [heldout_look(seed) for seed in range(NUM_LOOKS)]
NOMINAL_HUES = {"object": 8.6, "goal": 138.5}


def test_file_is_the_frozen_one() -> None:
    """Never change the hash to make this pass: results in docs/results.md stand on these numbers."""
    content = files("robossl_envs").joinpath("heldout.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == HELDOUT_SHA256
    assert HELDOUT_SHA256 == "d350d12d86be5921ad2769e780c8a6e7754e1d23ab29f8bf1f2396583e2fe973"


def test_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heldout.json").write_text("[]")
    monkeypatch.setattr(heldout, "files", lambda package: tmp_path)
    heldout._rows.cache_clear()
    with pytest.raises(EnvError, match=r"heldout\.json was changed"):
        heldout_look(0)
    monkeypatch.undo()
    heldout._rows.cache_clear()
    assert heldout_look(0) == LOOKS[0]


def test_ten_different_looks_are_cycled_by_seed() -> None:
    assert len({repr(look.record()) for look in LOOKS}) == NUM_LOOKS
    assert heldout_look(23) == LOOKS[3]
    assert heldout_dynamics(23) == heldout_dynamics(3)


@pytest.mark.parametrize("part", ["object", "goal"])
def test_colours_stay_in_their_family(part: str) -> None:
    for look in LOOKS:
        hue, saturation, value = colorsys.rgb_to_hsv(*look.surfaces[part].rgb)
        away = (360 * hue - NOMINAL_HUES[part] + 180) % 360 - 180
        assert abs(away) < 36
        assert saturation > 0.45
        assert value > 0.35


@pytest.mark.parametrize("ground", ["table", "floor"])
def test_ground_stands_out_from_what_lies_on_it(ground: str) -> None:
    for look in LOOKS:
        for shade in _shades(look.surfaces[ground]):
            for part in ("object", "goal"):
                assert np.linalg.norm(shade - np.array(look.surfaces[part].rgb)) > 0.3


def _shades(surface: Surface) -> list[np.ndarray]:
    factors: Any = (1.0,) if surface.texture is None else np.unique(texture_pool()[surface.texture]) / 255
    return [factor * np.array(surface.rgb) for factor in factors]


def test_cameras_move_a_little_and_mounted_ones_do_not() -> None:
    for look in LOOKS:
        assert look.cameras.keys() == CAMERAS.keys()
        front = look.cameras["front"]
        assert 0.01 < np.linalg.norm(np.subtract(front.position_m, FRONT.position_m)) <= 0.04
        assert 0.01 < np.linalg.norm(np.subtract(front.target_m, FRONT.target_m)) <= 0.03
        assert 0.95 <= front.fov_y_rad / FRONT.fov_y_rad <= 1.05
        assert look.cameras["wrist"] == WRIST


def test_lights_and_dynamics_are_within_their_bounds() -> None:
    for seed, look in enumerate(LOOKS):
        assert 0.3 <= look.light.ambient <= 0.6
        assert 0.4 <= look.light.diffuse <= 0.8
        dynamics = heldout_dynamics(seed)
        assert 0.6 * 0.2 <= dynamics.masses_kg["object"] <= 1.6 * 0.2
        assert 0.3 <= dynamics.frictions["object"] <= 0.9
        assert 0.8 <= dynamics.motor_gain <= 1.2


def test_surfaces_of_later_tasks_are_frozen_too_and_reach_and_push_do_not_wear_them() -> None:
    """Never change the hash to make this pass."""
    content = files("robossl_envs").joinpath("heldout_more.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == MORE_SHA256
    assert MORE_SHA256 == "d71cdba2bc18617ba8d11620944ed11ef0461cbdb7ab75b326cbd71d45b87267"
    for name in ("reach", "push"):
        bodies = load_task(name).bodies
        assert [heldout_look(seed, bodies=bodies) for seed in range(NUM_LOOKS)] == LOOKS
        assert heldout_dynamics(4, bodies) == heldout_dynamics(4)


def test_colours_of_later_tasks_stand_out_from_the_table_and_from_each_other() -> None:
    bodies = SceneSpec(robot=load_robot("panda"), articulated=load_task("drawer_opening").articulated).drawn
    for seed in range(NUM_LOOKS):
        surfaces = heldout_look(seed, bodies=bodies).surfaces
        blue = colorsys.rgb_to_hsv(*surfaces["other"].rgb)
        assert abs(360 * blue[0] - 225) < 36
        for part in ("other", "fixture"):
            others = [np.array(surfaces[name].rgb) for name in ("object", "goal")]
            for shade in [*_shades(surfaces["table"]), *others]:
                assert np.linalg.norm(shade - np.array(surfaces[part].rgb)) > 0.25


def test_masses_of_later_bodies_change_by_the_frozen_factor() -> None:
    dynamics = heldout_dynamics(0, load_task("stack").bodies)
    assert dynamics.masses_kg["object"] == pytest.approx(0.1 * 0.15 / 0.2)
    assert dynamics.masses_kg["goal"] == pytest.approx(0.15)
    assert dynamics.frictions["goal"] == dynamics.frictions["object"]
