"""`renderer="auto"`: the batched renderer where it starts, TinyRenderer where not."""

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs.rendering import auto, gl_device
from robossl_envs.rendering.gl_context import NoGlError


@pytest.fixture(autouse=True)
def _nothing_said() -> Iterator[None]:
    auto._say.cache_clear()
    yield
    auto._say.cache_clear()


def first_picture(renderer: str, **options: Any) -> tuple[np.ndarray, str]:
    env: Any = gym.make("robossl_envs:robossl/PandaReach-v0", renderer=renderer, image_size=32, **options)
    observation, _ = env.reset(seed=1)
    name = env.unwrapped.episode_record()["renderer"]
    env.close()
    env.close()
    return observation["pixels"]["front"], name


def no_gl() -> None:
    raise NoGlError("no EGL here: use renderer='tiny'")


@pytest.mark.parametrize("domain", ["nominal", "randomized", "shifted"])
def test_it_is_the_batched_renderer_where_that_starts(domain: str, caplog: pytest.LogCaptureFixture) -> None:
    try:
        gl_device.shared_context()
    except NoGlError as error:
        pytest.skip(str(error))
    pixels, name = first_picture("auto", domain=domain)
    assert name == "gl"
    np.testing.assert_array_equal(pixels, first_picture("gl", domain=domain)[0])
    assert not caplog.messages


def test_it_is_tiny_renderer_elsewhere_which_one_line_says_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(auto, "shared_context", no_gl)
    pixels, name = first_picture("auto")
    assert name == "tiny"
    np.testing.assert_array_equal(pixels, first_picture("tiny")[0])
    first_picture("auto")
    assert caplog.messages == ["drawing with TinyRenderer, one picture at a time: no EGL here: use renderer='tiny'"]


def test_a_process_forked_after_drawing_draws_with_tiny_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        gl_device.shared_context()
    except NoGlError as error:
        pytest.skip(str(error))
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert first_picture("auto")[1] == "tiny"


@pytest.mark.parametrize("randomization", [None, {"axes": {"image_noise": [2, 5], "observation_delay": [1, 2]}}])
def test_pictures_that_come_later_are_those_of_each_step(randomization: dict[str, Any] | None) -> None:
    env: Any = gym.make(
        "robossl_envs:robossl/PandaPush-v0",
        domain="randomized",
        cameras=("front", "wrist"),
        randomization=randomization,
    )
    action = np.array([0.4, -0.3, -0.2], np.float32)
    seen = [env.reset(seed=5)[0], *(env.step(action)[0] for _ in range(3))]
    env.unwrapped.pictures_later = True
    black = [env.reset(seed=5)[0], *(env.step(action)[0] for _ in range(3))]
    states, shown = env.unwrapped.instants()
    for camera in ("front", "wrist"):
        assert not np.any([observation["pixels"][camera] for observation in black])
        drawn = env.unwrapped.draw_instants(states, shown, camera=camera)
        np.testing.assert_array_equal(drawn, [observation["pixels"][camera] for observation in seen])
    np.testing.assert_array_equal(black[-1]["agent_pos"], seen[-1]["agent_pos"])
    env.close()


def test_instants_that_were_not_kept_are_refused() -> None:
    env: Any = gym.make("robossl_envs:robossl/PandaReach-v0", image_size=16)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="set pictures_later to True before reset"):
        env.unwrapped.instants()
    env.close()
