"""What a task is about is plain to see in the pictures that policies get: at 64 px, after the sensor."""

from typing import Any

import cv2
import gymnasium as gym
import numpy as np
import pytest
from jaxtyping import Bool, UInt8

from robossl_envs import CONTROL_IDS, ENV_IDS

PANDA_IDS = [env_id for env_id in ENV_IDS if "Panda" in env_id]
MEDIUM, FULL = {"domain": "randomized"}, {"domain": "randomized", "randomization": "full"}
SURFACES = ("object", "other", "goal", "bob", "fingertip", "chassis")
"""Of what a policy has to find."""
LEAST_PX, LEAST_DIFFERENCE = 6, 8.0
"""Size of a thing, and difference of its colour from what is round it, in units of CIE Lab."""
NUM_SEEDS = 10


def grown(mask: Bool[np.ndarray, "H W"], by_px: int) -> Bool[np.ndarray, "H W"]:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by_px + 1,) * 2, np.uint8)) > 0


def difference(picture: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]) -> float:
    """Return how far the colour of what is masked is from that of a ring about it, the edge left out."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    inner = ~grown(~mask, 1)
    ring = grown(mask, 3) & ~grown(mask, 1)
    return float(np.linalg.norm(np.median(lab[inner if inner.any() else mask], 0) - np.median(lab[ring], 0)))


def stands_out(env: Any, surface: str, masks: np.ndarray, picture: UInt8[np.ndarray, "H W 3"]) -> bool:
    bodies = env._pictures._scene.drawn
    mask = np.isin(masks, [2 + index for index, body in enumerate(bodies) if body.surface == surface])
    return int(mask.sum()) >= LEAST_PX and difference(picture, mask) >= LEAST_DIFFERENCE


@pytest.mark.parametrize(
    ("env_id", "keywords", "least"),
    [
        *((env_id, MEDIUM, 1.0) for env_id in (*PANDA_IDS, *CONTROL_IDS)),
        *(
            (env_id, FULL, 0.9) for env_id in (*PANDA_IDS, *CONTROL_IDS)
        ),  # dark, blurred and noisy at once, now and then
        *((env_id, {"domain": "heldout"}, 1.0) for env_id in PANDA_IDS),
        *((env_id, {"domain": "heldout_hard"}, 0.9) for env_id in PANDA_IDS),  # the arm may hide a goal
    ],
)
def test_objects_and_goals_stand_out_from_what_is_round_them(
    env_id: str, keywords: dict[str, Any], least: float
) -> None:
    env = gym.make(f"robossl_envs:{env_id}", image_size=64, **keywords).unwrapped
    names = {body.surface for body in env._pictures._scene.drawn} & set(SURFACES)
    if "Peg" in env_id:
        names -= {"other"}  # the bottom of the hole lies in the dark of the block, whose surface is `goal`
    found = dict.fromkeys(names, 0)
    for seed in range(NUM_SEEDS):
        picture = env.reset(seed=seed)[0]["pixels"]["front"]
        masks = env.render_views(masks=True)["front"].masks[0]
        for name in names:
            found[name] += stands_out(env, name, masks, picture)
    env.close()
    assert names
    assert all(count >= least * NUM_SEEDS for count in found.values()), found
