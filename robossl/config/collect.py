"""Configuration of `robossl collect`."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.env import DEFAULT_CAMERAS, DEFAULT_IMAGE_SIZE_PX, Axis
from robossl.config.schema import STRICT, Amount, Count, Pixels, Positive, Share
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class CollectConfig:
    """Roll out a policy and write the episodes as a LeRobot data set."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/collect")
    """Root of the LeRobot data set; the run's own files go to its folder `robossl/`."""
    env_id: str = "robossl/PandaReach-v0"
    """Env, for example `robossl/PandaPush-v0`."""
    domain: str = "randomized"
    """nominal, randomized, shifted or heldout."""
    randomization: str = ""
    """Preset of what `randomized` draws: light, medium, full or shifted; empty: medium, the domain's own."""
    axes: dict[str, Axis] = field(default_factory=dict)
    """Single axes of it, or whole groups (look, scene, sensor, physics, timing): true, false or [low, high]."""
    adr: bool = False
    """Automatic domain randomization (arXiv 1910.07113): the ranges of the axes that are on start at nominal values and
    widen to those of the preset while `policy` succeeds at their ends."""
    adr_success: tuple[Share, Share] = (0.5, 0.9)
    """With `adr`: rates of success below which a range narrows, and from which it widens."""
    policy: str = "play"
    """expert, play (wanders over the workspace, with no task in mind), random, or the directory of a saved policy."""
    noise: Amount = 0.0
    """Standard deviation of what is added to the actions of expert and play, which span [-1, 1]."""
    burst_rate: Share = 0.0
    """Chance of each step that one drawn action, of the gripper too, takes the expert's place for 2 to 8 steps: it
    must come back from afar, and fetch again what it dropped. For `intended_actions`, else bursts are imitated."""
    intended_actions: bool = False
    """Also record what the expert wanted before noise was added, as column `intended_action`, for policies to imitate
    (Laskey et al. 2017, DART, arXiv 1703.09327)."""
    num_episodes: Positive = 100
    """Episodes to write."""
    only_successful: bool = False
    """Drop episodes without success and go on until `num_episodes` are there: for demonstrations."""
    seed: Count = 0
    """Seed of the first episode; episode i has seed + i."""
    cameras: tuple[str, ...] = DEFAULT_CAMERAS
    """Cameras to record."""
    image_size: Pixels = DEFAULT_IMAGE_SIZE_PX
    """Height and width of the frames [px]."""
    max_episode_steps: Count = 0
    """Control steps after which an episode is cut off; 0: the task's own limit."""
    second_look: bool = False
    """Also draw each instant under a second draw of the randomization, as camera `<camera>_look2`."""
    look_every: Count = 0
    """Frames that share one draw of the second look; 0: one draw an episode."""
    renderer: str = "auto"
    """auto, or what the env offers besides: gl draws PyBullet's domains faster, tiny needs no GL library."""
    num_workers: Count = 0
    """Processes; 0: one for each CPU core. The episodes are the same for any number."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""

    @property
    def run_directory(self) -> Path:
        """Where the run's own files lie: `output` itself belongs to the data set."""
        return self.output / "robossl"
