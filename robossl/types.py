"""The types that flow between the stages, and the legend of their shapes.

B batch, V views (cameras or looks), T frames in a clip, N parallel envs, L episode length in control steps, K predicted
frames, C=3, H, W, S proprio, A action, E environment state, D feature, P projection. Images are uint8 RGB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from torch import Tensor

Groups = Mapping[str, slice]
"""Name of a frame group (`anchor`, `positive`, `context`, ...) to its half-open range on the T axis."""


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One recorded episode. Row i of the [L+1, ...] arrays was seen before action i; the last row has no action."""

    pixels: Mapping[str, UInt8[np.ndarray, "L1 H W C"]]
    """Camera name to frames. A camera drawn again under another look is called `<camera>_look2`."""
    proprio: Float32[np.ndarray, "L1 S"]
    """What the robot knows of itself (end effector position [m], gripper width [m])."""
    environment_state: Float32[np.ndarray, "L1 E"]
    """Simulator truth, for probes, experts and state-based baselines only."""
    visual_state: Float32[np.ndarray, "L1 X"]
    """What a renderer needs to draw the instant again."""
    actions: Float32[np.ndarray, "L A"]
    """In [-1, 1]; the robot scales them."""
    intended_actions: Float32[np.ndarray, "L A"] | None = None
    """What an expert wanted before its actions were disturbed; None where nobody says."""
    rewards: Float32[np.ndarray, " L"]
    terminated: bool
    truncated: bool
    success: bool
    goal: Float32[np.ndarray, " G"]
    seed: int
    env_id: str
    domain: str
    renderer: str
    """The renderer that drew the pixels."""
    task: str
    """The task as a sentence."""
    fps_hz: float
    variations: Mapping[str, Any] = field(default_factory=dict)
    """Every value that the domain drew for this episode: numbers, lists of numbers or texts."""
    randomization: str | Mapping[str, Any] | None = None
    """What the env was asked to draw beyond its domain, as its keyword `randomization` takes it."""
    action_scale: Mapping[str, float] | None = None
    """What 1 means in each number of an action, with the unit in the name; None where the env does not say."""
    environment_state_names: Sequence[str] | None = None
    """Of the numbers of the simulator's truth; None where the env does not say."""

    def __len__(self) -> int:
        """Return L, the number of control steps."""
        return len(self.actions)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One training item: T frames of one episode in named groups, seen in V views."""

    pixels: UInt8[np.ndarray, "V T C H W"]
    groups: Groups
    valid: Bool[np.ndarray, " T"]
    """False where a group reaches past the end of its episode and a frame only fills the place."""
    episode_id: int
    indices: Int64[np.ndarray, " T"]
    """Frame index inside the episode."""
    timestamps_s: Float[np.ndarray, " T"]
    motion_s: Float[np.ndarray, " T"] | None = None
    """Seconds of motion up to each frame: stands still in static stretches; None where these were not sought."""
    actions: Float32[np.ndarray, "T kA"] | None = None
    """The `frame_stride` actions from each frame on, joined; None where the source has none."""
    actions_valid: Bool[np.ndarray, " T"] | None = None
    """False where these actions reach past the end of the episode."""
    proprio: Float32[np.ndarray, "T S"] | None = None


@dataclass(frozen=True, kw_only=True)
class ClipBatch:
    """B clips of one source, on the training device."""

    pixels: UInt8[Tensor, "B V T C H W"]
    groups: Groups
    valid: Bool[Tensor, "B T"]
    episode_id: Int64[Tensor, " B"]
    indices: Int64[Tensor, "B T"]
    timestamps_s: Float[Tensor, "B T"]
    motion_s: Float[Tensor, "B T"] | None = None
    """Seconds of motion up to each frame, see `Clip`."""
    actions: Float32[Tensor, "B T kA"] | None = None
    actions_valid: Bool[Tensor, "B T"] | None = None
    proprio: Float32[Tensor, "B T S"] | None = None
    source: str = ""
    """Name of the source that the batch came from."""

    @property
    def contrast_s(self) -> Float[Tensor, "B T"]:
        """The clock that decides how near frames of an episode are as negatives: that of motion where there is one."""
        return self.timestamps_s if self.motion_s is None else self.motion_s


@dataclass(frozen=True, kw_only=True)
class ObjectiveOutput:
    """What an objective returns: one scalar to minimize, and detached numbers to log."""

    loss: Float[Tensor, ""]
    metrics: Mapping[str, float]


class Policy(Protocol):
    """Anything that acts: learners, experts, planners and random agents."""

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Forget the episode; only in the envs where the mask is true, if one is given."""
        ...

    def act(self, observation: Mapping[str, Any]) -> Float32[np.ndarray, "N A"]:
        """Return actions in [-1, 1] for N observations (nested format, arrays stacked along the first axis)."""
        ...
