"""Settings that finished cells of tables do not name, because they are younger."""

from typing import Any

from robossl.config.recipe import RENDERER

LATER: dict[str, Any] = {
    "renderer": RENDERER,
    "frames": "cache",
    "shots": "split",
    "static_weight": 1.0,
    "rerender": False,
    "num_looks": 2,
    "look_domain": "randomized",
    "randomization": "",
    "axes": {},
    "adr": False,
    "adr_success": [0.5, 0.9],
    "head": "mlp",
    "num_observation_steps": 1,
    "sampling_steps": 10,
    "temperature": 0.3,
    "engine": "auto",
    "lora_rank": 8,
    "layer_decay": 1.0,
    "ramp_steps": 0,
    "start_weight": 0.0,
    "schedule": "cosine",
    "final_learning_rate": 0.0,
    "accumulate": 1,
    "compile": False,
    "weights": None,
    "lpips_weights": None,
    "num_kept": 0,
    "intended_actions": False,
    "burst_rate": 0.0,
    "labels": "executed",
    "learning_episode_steps": 0,
    "rollout_steps": 1024,
    "exploration_std": 0.15,
}
"""Settings younger than the first cells, with the value that leaves a stage as it was: then no part of a cell's key."""


_PARAMS = "params"


def without_later(value: Any) -> Any:
    """Return settings without those of `LATER`, however deep they lie; `params` of objectives and encoders stay whole.

    They have names of their own, which may be the same: `temperature` of a contrast is not that of a head.
    """
    match value:
        case dict():
            return {
                key: inner if key == _PARAMS else without_later(inner)
                for key, inner in value.items()
                if LATER.get(key, ...) != inner
            }
        case list():
            return [without_later(inner) for inner in value]
        case _:
            return value
