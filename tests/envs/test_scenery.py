"""Other sizes, table heights, distractors and a backdrop: what they change, and what they leave alone."""

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs import ENV_IDS
from robossl_envs.errors import EnvError
from robossl_envs.randomization.scenery import CLEARANCE_M, DISTRACTORS


def make(env_id: str = "robossl/PandaPush-v0", axes=None, **keywords):
    asked = None if axes is None else {"axes": axes}
    return gym.make(
        f"robossl_envs:{env_id}", domain="nominal", image_size=32, randomization=asked, **keywords
    ).unwrapped


def names(env) -> list[str]:
    return [body.name for body in env._scene.bodies]


def world_m(env, name: str) -> np.ndarray:
    return env._simulation.body_pose(name)[0]


def solve(env, seed: int) -> bool:
    _, info = env.reset(seed=seed)
    expert, done = env.expert(seed=seed), False
    while not done:
        _, _, terminated, truncated, info = env.step(expert.act({}))
        done = terminated or truncated
    return bool(info["is_success"])


def test_nothing_is_loaded_for_axes_that_are_off() -> None:
    plain, other = make(obs_format="state"), make(axes={"mass": True, "table_height": True}, obs_format="state")
    assert names(plain) == names(other) == ["table", "floor", "object", "goal"]
    plain.close()
    other.close()


@pytest.mark.parametrize(
    "env_id", ["robossl/PandaPush-v0", "robossl/XArmPickAndPlace-v0", "robossl/PandaDrawerOpening-v0"]
)
def test_a_higher_table_carries_everything_and_the_task_does_not_notice(env_id: str) -> None:
    low, high = make(env_id), make(env_id, axes={"table_height": [0.03, 0.03]}, goal_image=True)
    (_, usual), (observation, raised) = low.reset(seed=1), high.reset(seed=1)
    np.testing.assert_allclose(raised["environment_state"], usual["environment_state"], atol=2e-3)
    for body in low._scene.drawn:
        up_m = world_m(high, body.name)[2] - world_m(low, body.name)[2]
        assert up_m == pytest.approx(0.0 if body.name == "floor" else 0.03, abs=1e-6), body.name
    assert observation["goal"].std() > 5
    assert high.episode_record()["goal"] == pytest.approx(low.episode_record()["goal"])
    assert sum(solve(high, seed) for seed in range(3)) >= 2
    low.close()
    high.close()


def test_an_object_of_another_size_stands_in_and_the_usual_one_is_out_of_sight() -> None:
    env = make("robossl/PandaPickAndPlace-v0", axes={"object_size": [0.75, 0.75], "mass": [2.0, 2.0]})
    env.reset(seed=0)
    assert env._staging.stands_in == {"object": "object@0.75"}
    assert world_m(env, "object")[2] < -10
    np.testing.assert_array_equal(env._seen.body_pose("object")[0], world_m(env, "object@0.75"))
    size = {body.name: body.size_m for body in env._scene.bodies}
    x, y, z = size["object"]
    assert size["object@0.75"] == pytest.approx((0.75 * x, 0.75 * y, z))
    assert env._dynamics.masses_kg.keys() == {"object@0.75"}
    assert "object.mass_kg" in env.episode_record()["variations"]
    masks = env.render_views(masks=True)["front"].masks
    assert (masks == 2 + names(env).index("object@0.75")).any()
    assert not (masks == 2 + names(env).index("object")).any()
    assert sum(solve(env, seed) for seed in range(3)) >= 2
    env.close()


@pytest.mark.parametrize("env_id", [env_id for env_id in ENV_IDS if "Panda" in env_id])
def test_distractors_keep_away_from_all_that_matters_and_stay_where_they_are(env_id: str) -> None:
    env = make(env_id, axes={"distractors": [3, 3]}, obs_format="state")
    shown = 0
    for seed in range(6):
        env.reset(seed=seed)
        states = env._taken_m()
        for name, place_m in env._staging.shown_m.items():
            shown += 1
            away_m = np.hypot(*(states[:, :2] - place_m[:2]).T) - states[:, 2]
            assert away_m.min() > CLEARANCE_M
            np.testing.assert_allclose(world_m(env, name), place_m, atol=1e-6)
        assert all(world_m(env, name)[2] < -10 for name in env._staging.parked_m)
        before = [world_m(env, body.name) for body in DISTRACTORS]
        for _ in range(10):
            env.step(env.action_space.sample())
        np.testing.assert_array_equal(before, [world_m(env, body.name) for body in DISTRACTORS])
    assert shown > 0
    env.close()


def test_the_backdrop_is_seen_behind_the_robot() -> None:
    env = make(axes={"backdrop": [0.3, 0.3], "table_size": [0.75, 0.75]})
    env.reset(seed=0)
    masks = env.render_views(masks=True)["front"].masks[0]
    rows = np.flatnonzero((masks == 2 + names(env).index("backdrop")).any(axis=1))
    assert len(rows) > 0
    assert rows.max() < 12, "only in the upper part of the picture"
    env.close()


def test_a_smaller_table_still_carries_every_object() -> None:
    env = make("robossl/PandaSortByColour-v0", axes={"table_size": [0.75, 0.75]}, obs_format="state")
    for seed in range(5):
        env.reset(seed=seed)
        for _ in range(10):
            env.step(np.array([0.0, 0.0, 0.3, 1.0]))
        assert world_m(env, "object")[2] > 0.01
    env.close()


@pytest.mark.parametrize("axes", [{"distractors": [2, 2]}, {"object_size": [0.85, 0.85]}, {"backdrop": True}])
def test_what_was_not_loaded_can_not_be_asked_for_later(axes) -> None:
    env = make(obs_format="state")
    with pytest.raises(EnvError, match=r"needs the body .* loaded only where the env was made with the axis"):
        env.reset(seed=0, options={"axes": axes})
    env.close()
