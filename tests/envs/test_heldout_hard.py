"""The hard held-out domain, and its clutter."""

import colorsys
import hashlib
from dataclasses import replace
from importlib.resources import files

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs import ENV_IDS
from robossl_envs.arms import load_task
from robossl_envs.cameras import CAMERAS, FRONT, WRIST
from robossl_envs.clutter import CLUTTER
from robossl_envs.errors import EnvError
from robossl_envs.heldout import NUM_LOOKS, heldout_look
from robossl_envs.heldout_hard import HARD_SHA256, hard_delay_s, hard_dynamics, hard_look
from robossl_envs.rendering.textures import texture_pool
from robossl_envs.simulation.scene import Dynamics

LOOKS = [hard_look(seed) for seed in range(NUM_LOOKS)]
HUES = {"object": (8.6, 27), "goal": (138.5, 35), "other": (225.0, 29)}


def make(env_id: str, **keywords):
    keywords = {"domain": "heldout_hard", "obs_format": "state", **keywords}
    return gym.make(f"robossl_envs:{env_id}", **keywords).unwrapped


def shades(surface):
    factors = (1.0,) if surface.texture is None else np.unique(texture_pool()[surface.texture]) / 255
    return [factor * np.array(surface.rgb) for factor in factors]


def test_file_is_the_frozen_one():
    """Never change the hash to make this pass: results stand on these numbers."""
    content = files("robossl_envs").joinpath("heldout_hard.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == HARD_SHA256
    assert HARD_SHA256 == "59bdf2cbd5bb0049abf6ba52fb47d09175aae0366a79901a5ca5fa013e86df93"


def test_ten_looks_are_cycled_by_seed_and_are_none_of_the_other_ten():
    assert len({repr(look.record()) for look in LOOKS}) == NUM_LOOKS
    assert hard_look(23) == LOOKS[3]
    assert hard_dynamics(23) == hard_dynamics(3)
    others = {look.surfaces["table"].rgb for look in map(heldout_look, range(NUM_LOOKS))}
    assert not others & {look.surfaces["table"].rgb for look in LOOKS}


def test_cameras_stand_further_off_and_at_an_angle():
    for look in LOOKS:
        assert look.cameras.keys() == CAMERAS.keys()
        front = look.cameras["front"]
        assert 0.05 < np.linalg.norm(np.subtract(front.position_m, FRONT.position_m)) < 0.16
        assert 0.02 < abs(front.roll_rad) < 0.11
        assert look.cameras["wrist"] == WRIST


def test_contacts_delay_masses_and_gains_are_its_own():
    for seed in range(NUM_LOOKS):
        dynamics = hard_dynamics(seed, load_task("push").bodies)
        assert 0.7 <= dynamics.contact_time < 1
        assert dynamics.spin_friction != 1
        assert 0.008 < hard_delay_s(seed) <= 0.025
        assert 0.5 <= dynamics.masses_kg["object"] / 0.2 <= 2
        assert Dynamics.from_record(dynamics.record()) == dynamics


def test_colours_keep_their_family_and_stand_out_and_clutter_has_none_of_theirs():
    for look in LOOKS:
        for part, (hue, width) in HUES.items():
            away = (360 * colorsys.rgb_to_hsv(*look.surfaces[part].rgb)[0] - hue + 180) % 360 - 180
            assert abs(away) < width
        for part in HUES:
            rgb = np.array(look.surfaces[part].rgb)
            assert min(np.linalg.norm(shade - rgb) for shade in shades(look.surfaces["table"])) > 0.3
            assert min(np.linalg.norm(np.subtract(look.surfaces[body.name].rgb, rgb)) for body in CLUTTER) > 0.35


@pytest.mark.parametrize("env_id", ENV_IDS[:12])
def test_clutter_lies_beside_the_task_and_still(env_id):
    env = make(env_id)
    start = {}
    for seed in range(12):
        env.reset(seed=seed)
        bodies = [body for body in env._task.bodies if body.name not in ("table", "floor")]
        places = {body.name: env._simulation.body_pose(body.name)[0] for body in (*bodies, *CLUTTER)}
        for piece in CLUTTER:
            for name, place in places.items():
                if name != piece.name:
                    assert np.linalg.norm((place - places[piece.name])[:2]) > 0.045, (seed, piece.name, name)
            assert not env._simulation.contacts("robot", piece.name)
        start[seed] = places
        env.step(np.zeros(env.action_space.shape))
        for piece in CLUTTER:
            assert np.linalg.norm(env._simulation.body_pose(piece.name)[0] - places[piece.name]) < 1e-3
    env.reset(seed=3)
    for piece in CLUTTER:
        np.testing.assert_array_equal(env._simulation.body_pose(piece.name)[0], start[3][piece.name])
    env.close()


def test_the_layout_of_the_task_is_that_of_other_domains():
    hard, usual = make("robossl/PandaPush-v0"), make("robossl/PandaPush-v0", domain="heldout")
    np.testing.assert_allclose(hard.reset(seed=4)[0], usual.reset(seed=4)[0], atol=1e-6)
    hard.close()
    usual.close()


def test_an_action_takes_effect_later_and_the_episode_starts_again_from_its_record():
    env = make("robossl/PandaReach-v0")
    moved = []
    for delayed in (True, False):
        env.reset(seed=0)
        before = env._simulation.body_pose("panda_hand")[0]
        if not delayed:
            env._timing = type(env._timing)(replace(env._drawn, values={}))
        env.step(np.array([0.0, 1.0, 0.0]))
        moved.append((env._simulation.body_pose("panda_hand")[0] - before)[1])
    assert 0.1 * moved[1] < moved[0] < 0.9 * moved[1]
    env.reset(seed=7)
    record, state = env.episode_record(), env.step(np.array([0.3, 1.0, 0.0]))[0]
    assert record["variations"]["action_delay"] == hard_delay_s(7)
    env.reset(seed=1)
    env.reset(options={"record": record})
    np.testing.assert_array_equal(env.step(np.array([0.3, 1.0, 0.0]))[0], state)
    assert env.episode_record() == record
    env.close()
    usual = make("robossl/PandaReach-v0", domain="heldout")
    with pytest.raises(EnvError, match="make the env of the record"):
        usual.reset(options={"record": record})
    usual.close()
