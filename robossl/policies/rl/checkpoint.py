"""What a learner of Stable-Baselines3 has learned and seen, as tensors and plain values."""

import warnings
from typing import Any

import numpy as np
import torch

from robossl.policies.network import PolicyNetwork

COUNTS = ("num_timesteps", "_n_updates", "_episode_num")


def learner_state(learner: Any, network: PolicyNetwork) -> dict[str, Any]:
    """Return weights, optimizers, replay, counts and random numbers of a learner between two calls of `learn`.

    Args:
        learner: of `build_learner`.
        network: that it sees with; its encoder may be trained along.
    """
    _, variables = learner._get_torch_save_params()
    drawn: Any = np.random.get_state()  # noqa: NPY002  replay draws its batches with it
    _, keys, position, has_gauss, cached = drawn
    return {
        "network": network.state_dict(),
        "parameters": learner.get_parameters(),
        "variables": {name: getattr(learner, name).detach() for name in variables},
        "counts": {name: getattr(learner, name) for name in COUNTS},
        "replay": _replayed(getattr(learner, "replay_buffer", None)),
        "shifts": learner.shifts.get_state() if hasattr(learner, "shifts") else None,
        "numpy_rng": (torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached),
    }


def restore_learner(learner: Any, network: PolicyNetwork, state: dict[str, Any], *, seed: int) -> None:
    """Put a learner that was built anew where the other one was, but for the episode under way: a new one begins.

    Args:
        learner, network: as for `learner_state`.
        state: what that returned.
        seed: of the new episode.
    """
    network.load_state_dict(state["network"])
    learner.set_parameters(state["parameters"])
    with torch.no_grad():
        for name, value in state["variables"].items():
            getattr(learner, name).copy_(value)
    for name, value in state["counts"].items():
        setattr(learner, name, value)
    if state["replay"] is not None:
        _refill(learner.replay_buffer, state["replay"])
    if state["shifts"] is not None:
        learner.shifts.set_state(state["shifts"])
    keys, position, has_gauss, cached = state["numpy_rng"]
    np.random.set_state(("MT19937", keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
    learner.env.seed(seed)


def _replayed(replay: Any) -> dict[str, Any] | None:
    """Return the arrays of a replay as far as they are filled, and where it goes on."""
    if replay is None:
        return None
    arrays = {name: _filled(value, replay.size()) for name, value in vars(replay).items() if _is_data(value)}
    return {"arrays": arrays, "pos": replay.pos, "full": replay.full}


def _filled(value: Any, size: int) -> Any:
    if isinstance(value, dict):
        return {name: _filled(part, size) for name, part in value.items()}
    return torch.from_numpy(value[:size])


def _refill(replay: Any, state: dict[str, Any]) -> None:
    for name, value in state["arrays"].items():
        _fill(getattr(replay, name), value)
    replay.pos, replay.full = state["pos"], state["full"]
    if hasattr(replay, "truncate_last_trajectory"):  # hindsight's: the last episode ends here
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The last trajectory")
            replay.truncate_last_trajectory()


def _fill(into: Any, value: Any) -> None:
    if isinstance(into, dict):
        for name, part in into.items():
            _fill(part, value[name])
    else:
        into[: len(value)] = value.numpy()


def _is_data(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_data(part) for part in value.values())
    return isinstance(value, np.ndarray) and value.dtype != object
