"""Whether a policy fits an env: the same cameras, picture size, control rate, and numbers of the same meaning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from robossl.errors import ConfigError
from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import load_policy_card


def check_fits(network: PolicyNetwork, env: gym.Env, path: Path) -> None:
    """Refuse a policy in an env that is not like the one of its demonstrations.

    What its card or the env does not tell is not compared.

    Raises:
        ConfigError: cameras, picture size, control rate, what an action means, or the numbers that it sees are others.
    """
    trained_on = load_policy_card(path).get("trained_on", {})
    _check_cameras(network, env, path)
    _check_rate(env, path, trained_on)
    _check_counts(network, env, path)
    _check_meaning(network, env, path, trained_on)
    _check_bounds(network, env, path)
    _check_image_size(network, env, path, trained_on)


def frame_side_px(trained_on: Mapping[str, Any]) -> int | None:
    """Return the side of the square frames that an env has to show, as far as a policy's card tells it [px].

    Frames that were not square have no such side; the longer one is given, and `check_fits` refuses what it leads to.
    """
    size = trained_on.get("image_size")
    return max(size) if isinstance(size, list) else size


def _check_cameras(network: PolicyNetwork, env: gym.Env, path: Path) -> None:
    spaces: Any = env.observation_space
    shown = [*spaces["pixels"].spaces, *([GOAL_VIEW] if GOAL_VIEW in spaces.spaces else [])]
    for camera in network.cameras:
        if camera not in shown:
            raise ConfigError(f"policy {path} sees camera {camera!r}, but the env shows {', '.join(shown)}")


def _check_rate(env: gym.Env, path: Path, trained_on: Mapping[str, Any]) -> None:
    learned_hz, control_hz = trained_on.get("fps_hz"), env.metadata.get("render_fps")
    if learned_hz and control_hz and not np.isclose(learned_hz, control_hz, rtol=0.01):
        raise ConfigError(
            f"policy {path} was trained at {learned_hz:g} actions a second, but {_name(env)} takes {control_hz:g}; "
            "use demonstrations recorded at the env's rate"
        )


def _check_counts(network: PolicyNetwork, env: gym.Env, path: Path) -> None:
    simulator: Any = env.unwrapped
    spaces: Any = env.observation_space
    head = network.spec
    sizes = {
        "gives actions of": (head.action_dim, int(np.prod(env.action_space.shape or ()))),
        "sees proprio of": (head.proprio_dim, int(np.prod(spaces["agent_pos"].shape))),
        "sees simulator states of": (head.state_dim, len(simulator.environment_state_names)),
    }
    for what, (of_policy, of_env) in sizes.items():
        unused = of_policy == 0  # not every policy sees proprio or simulator state
        if of_policy != of_env and not unused:
            raise ConfigError(
                f"policy {path} {what} {of_policy} numbers, but {_name(env)} has {of_env}; "
                "use it in the env of its demonstrations"
            )


def _check_bounds(network: PolicyNetwork, env: gym.Env, path: Path) -> None:
    """Compare what spans no [-1, 1] with the limits of the env: joint angles, say, are no steps of a hand."""
    space: Any = env.action_space
    if not network.spec.action_low:
        return
    low, high = min(network.spec.action_low), max(network.spec.action_high)
    if (np.array(network.spec.action_low) < space.low).any() or (np.array(network.spec.action_high) > space.high).any():
        raise ConfigError(
            f"policy {path} gives actions from {low:.3g} to {high:.3g}, in the units of its demonstrations, but "
            f"{_name(env)} takes {space.low.min():.3g} to {space.high.max():.3g}; use it in an env with those units"
        )


def _check_meaning(network: PolicyNetwork, env: gym.Env, path: Path, trained_on: Mapping[str, Any]) -> None:
    simulator: Any = env.unwrapped
    learned, scale = trained_on.get("action_scale"), getattr(simulator, "action_scale", None)
    if learned and scale and not _same_scale(learned, scale):
        raise ConfigError(
            f"policy {path} gives actions in which 1 means {_told(learned)}, but in {_name(env)} it means "
            f"{_told(scale)}; use it in an env with the actions of its demonstrations"
        )
    names = trained_on.get("environment_state_names")
    if network.spec.state_dim and names and list(names) != list(simulator.environment_state_names):
        raise ConfigError(
            f"policy {path} sees the simulator states {', '.join(names)}, but {_name(env)} has "
            f"{', '.join(simulator.environment_state_names)}; use it in the env of its demonstrations"
        )


def _check_image_size(network: PolicyNetwork, env: gym.Env, path: Path, trained_on: Mapping[str, Any]) -> None:
    size = trained_on.get("image_size")
    if not size or not network.cameras:
        return
    trained = tuple(size) if isinstance(size, list) else (size, size)
    spaces: Any = env.observation_space
    shown = spaces["pixels"][network.cameras[0]].shape[:2]
    if trained != shown:
        advice = f"set image_size to {size}, or " if trained[0] == trained[1] else ""
        raise ConfigError(
            f"policy {path} was trained on frames of {_pixels(trained)}, but {_name(env)} shows {_pixels(shown)}; "
            f"{advice}finetune on demonstrations of {_pixels(shown)}"
        )


def _pixels(size: tuple[int, ...]) -> str:
    height_px, width_px = size
    return f"{height_px} px" if height_px == width_px else f"{height_px} x {width_px} px"


def _same_scale(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return list(one) == list(other) and bool(np.allclose(list(one.values()), list(other.values())))


def _told(scale: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in scale.items())


def _name(env: gym.Env) -> str:
    return env.spec.id if env.spec else "the env"
