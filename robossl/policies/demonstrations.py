"""Demonstrations as arrays in memory: a few dozen episodes of small frames."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from robossl.data.sources import EpisodeSource
from robossl.errors import DataError
from robossl.policies.chunking import action_chunks
from robossl.rollout import LOOK2_SUFFIX

PROPRIO_KEY = "observation.state"
STATE_KEY = "observation.environment_state"
ACTION_KEY = "action"
INTENDED_ACTION_KEY = "intended_action"
ROUNDING = 1e-4
"""By which actions may pass 1 after they were written and read."""
GOAL_VIEW = "goal"
"""Stands among a policy's cameras for the picture of the goal: in demonstrations that is how they end, as the first
camera shows it (Lynch et al. 2019, Learning latent plans from play, arXiv 1903.01973)."""


@dataclass(frozen=True, kw_only=True)
class Demonstrations:
    """n steps of some episodes."""

    pixels: UInt8[np.ndarray, "n V 3 H W"] | None
    """V in the order of `cameras`; None where no camera was asked for."""
    cameras: tuple[str, ...]
    proprio: Float32[np.ndarray, "n S"]
    environment_state: Float32[np.ndarray, "n E"] | None
    chunks: Float32[np.ndarray, "n K A"]
    valid: Bool[np.ndarray, "n K"]
    """False where a chunk reaches past the end of its episode."""
    episode: Int64[np.ndarray, " n"]
    step: Int64[np.ndarray, " n"]
    """Of the episode, from 0."""

    def __len__(self) -> int:
        """Return n."""
        return len(self.episode)

    @property
    def action_bounds(self) -> Float32[np.ndarray, "2 A"] | None:
        """Smallest and largest value of each action; None where all lie in [-1, 1], as envs of robossl have them."""
        actions = self.chunks[self.valid]  # [m,A]
        within = np.abs(actions).max() <= 1 + ROUNDING
        return None if within else np.stack([actions.min(axis=0), actions.max(axis=0)])

    def past(self, num_steps: int) -> Int64[np.ndarray, "n T"]:
        """Return for each row those of the last steps up to itself, the oldest first; before a first step, its own."""
        back = np.arange(num_steps)[::-1]
        return np.arange(len(self))[:, None] - np.minimum(back, self.step[:, None])


def read_demonstrations(
    source: EpisodeSource,
    *,
    num_demonstrations: int,
    cameras: tuple[str, ...],
    chunk_length: int,
    state: bool = False,
    second_look: bool = False,
    action_key: str = ACTION_KEY,
) -> Demonstrations:
    """Read the first `num_demonstrations` episodes.

    A second look shows the same steps in other colours and from a slightly other place: it does not add demonstrations,
    but tells the policy what does not matter. It follows as further rows, with the same actions.

    Args:
        source: where they are.
        num_demonstrations: how many.
        cameras: that the policy sees, and `goal` for the picture of the end after all others; none for a policy on
            simulator state.
        chunk_length: K, actions of a chunk.
        state: also read the simulator's state.
        second_look: also read the cameras `<camera>_look2`, if the data has them all.
        action_key: column of the actions to imitate.

    Raises:
        DataError: too few episodes, an unknown camera, no actions, or such outside of [-1, 1] where that is what the
            env takes.
    """
    _check(source, num_demonstrations=num_demonstrations, cameras=cameras, state=state, action_key=action_key)
    looks = [cameras]
    again = tuple(name if name == GOAL_VIEW else name + LOOK2_SUFFIX for name in cameras)
    if second_look and cameras and set(again) - {GOAL_VIEW} <= set(source.cameras):
        looks.append(again)
    episodes = [
        _read(source, index, look, chunk_length, state, action_key)
        for look in looks
        for index in range(num_demonstrations)
    ]
    joined = {name: np.concatenate([episode[name] for episode in episodes]) for name in episodes[0]}
    demonstrations = Demonstrations(
        cameras=cameras,
        pixels=joined.get("pixels"),
        environment_state=joined.get("environment_state"),
        **{name: joined[name] for name in ("proprio", "chunks", "valid", "episode", "step")},
    )
    if demonstrations.action_bounds is not None and "action_scale" in source.episode_metadata(0):
        raise DataError(
            f"the demonstrations' actions reach {np.abs(demonstrations.chunks).max():.3g}, but their env acts in -1 to "
            "1, where 1 is its largest action; scale them before they are recorded"
        )
    return demonstrations


def _read(
    source: EpisodeSource, episode: int, cameras: tuple[str, ...], chunk_length: int, state: bool, action_key: str
) -> dict[str, np.ndarray]:
    steps = np.arange(int(source.lengths[episode]) - 1)  # the last frame has no action
    chunks, valid = action_chunks(source.values(episode, steps, action_key), chunk_length)
    arrays = {
        "proprio": source.values(episode, steps, PROPRIO_KEY),
        "chunks": chunks,
        "valid": valid,
        "episode": np.full(len(steps), episode, np.int64),
        "step": steps,
    }
    if cameras:
        end = np.full(len(steps), int(source.lengths[episode]) - 1)
        shown = [(cameras[0], end) if name == GOAL_VIEW else (name, steps) for name in cameras]
        arrays["pixels"] = np.stack([source.frames(episode, rows, name) for name, rows in shown], axis=1)
    if state:
        arrays["environment_state"] = source.values(episode, steps, STATE_KEY)
    return arrays


def _check(
    source: EpisodeSource, *, num_demonstrations: int, cameras: tuple[str, ...], state: bool, action_key: str
) -> None:
    available = len(source.lengths)
    if not 1 <= num_demonstrations <= available:
        raise DataError(
            f"num_demonstrations is {num_demonstrations}, but the data set holds {available} episodes; "
            "collect more or ask for fewer"
        )
    if cameras[:1] == (GOAL_VIEW,):
        raise DataError(f"cameras begin with {GOAL_VIEW!r}, which is what the first of them shows at the end; name one")
    for name in cameras:
        if name not in (*source.cameras, GOAL_VIEW):
            raise DataError(f"the demonstrations have no camera {name!r}; they have {', '.join(source.cameras)}")
    for key in (action_key, PROPRIO_KEY, *([STATE_KEY] if state else [])):
        if key not in source.features:
            raise DataError(
                f"the demonstrations have no {key!r}; they have {', '.join(source.features) or 'only video'}"
                + ("; collect them with intended_actions: true" if key == INTENDED_ACTION_KEY else "")
            )
