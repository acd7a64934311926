"""Configuration of `robossl reinforce`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from robossl.config.env import DEFAULT_CAMERAS, Axis
from robossl.config.schema import STRICT, Count, Positive, Rate, Share
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class ReinforceConfig:
    """Learn a policy from reward, on an encoder that is frozen or learns along, or on simulator state."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/reinforce")
    """Run directory; the policy goes to its folder `policy/`."""
    env_id: str = ""
    """Env, for example `robossl/CartPoleSwingUp-v0`; empty: that of the demonstrations of `policy`, else
    `robossl/PandaReach-v0`."""
    domain: str = "randomized"
    """nominal, randomized or shifted; on the held-out ones nothing is trained."""
    randomization: str = ""
    """Preset of what `randomized` draws: light, medium, full or shifted; empty: medium, the domain's own."""
    axes: dict[str, Axis] = field(default_factory=dict)
    """Single axes of it, or whole groups (look, scene, sensor, physics, timing): true, false or [low, high]."""
    renderer: str = "auto"
    """gl, tiny, or auto: what the machine has."""
    encoder: str = "runs/pretrain/encoder"
    """Directory of an encoder, or a file with a ResNet's weights; `random`: fresh weights; `state`: none, the policy
    reads simulator truth (ceiling)."""
    policy: Path | None = None
    """Directory of a cloned policy to go on from with ppo: its encoder, cameras and head are taken, and what is said of
    these here is not. It must carry out one action of each chunk (`execution` receding, `execute_steps` 1)."""
    architecture: str = "conv"
    """What `random` and mode scratch build: conv, resnet18, vit_tiny, or the directory of an encoder whose architecture
    is taken."""
    mode: Literal["frozen", "finetuned", "lora", "scratch"] = "frozen"
    """frozen: the encoder stays as it is, and the replay holds its features; finetuned: reward trains it along, on
    randomly shifted pictures (DrQ); lora: a low-rank change of its linear and attention layers is, for transformers;
    scratch: as finetuned, from fresh weights, whatever `encoder` says."""
    lora_rank: Positive = 8
    """Rank of the change; for mode lora."""
    algorithm: Literal["sac", "ppo"] = "sac"
    """sac: soft actor-critic with replay; ppo: proximal policy optimization, which takes many more env steps."""
    reward: Literal["env", "goal_distance"] = "env"
    """env: the simulator's dense one; goal_distance: minus how far the first camera's features are from those of a
    picture of the goal (as in VIP), on a frozen encoder and without simulator truth."""
    hindsight: bool = False
    """Tell episodes again with the goals that they reached, and learn from sparse reward (HER): with sac on `state`
    alone, since a picture can't be told again with another goal."""
    cameras: tuple[str, ...] = DEFAULT_CAMERAS
    """Cameras that the policy sees; with `goal` at the end also a picture of the solved task."""
    image_size: Count = 0
    """Height and width of the frames [px]; 0: those of the encoder, or those that `policy` was trained on. No others
    are taken."""
    proprio: bool = True
    """Whether the policy also sees the robot's own sensors."""
    num_observation_steps: Positive = 1
    """Pictures of each camera that are seen at once, those of the last steps; 2 where speeds have to be seen."""
    hidden: tuple[Positive, ...] = (128, 128)
    """Widths of the hidden layers of actor and critics."""
    learning_episode_steps: Count = 0
    """Most env steps of an episode while it learns; 0: the task's own. Shorter ones show more starts and goals in the
    same steps; checks and the final score keep the task's own."""
    num_steps: Positive = 20_000
    """Env steps at most; the few of play that features are standardized with count too.
    sac rounds up to whole `update_every`, ppo to whole rollouts."""
    learning_rate: Rate = 1e-3
    """Of Adam, for all networks; in mode scratch for the encoder too."""
    encoder_learning_rate: Rate = 3e-4
    """Of the encoder, for modes finetuned and lora."""
    layer_decay: Share = 1.0
    """Factor on it from one layer of the encoder to the one before: below 1, what is near the picture changes least."""
    batch_size: Positive = 256
    """Transitions in a batch."""
    discount: Share = 0.98
    """Of reward from one step to the next."""
    target_rate: Share = 0.02
    """How far the target of the critics follows them in each update; for sac."""
    random_steps: Count = 500
    """Steps of uniform actions before learning; for sac."""
    update_every: Positive = 1
    """Env steps from one update to the next; for sac."""
    rollout_steps: Positive = 1024
    """Env steps from one update to the next, at least a batch; for ppo."""
    exploration_std: Rate = 0.15
    """Of the noise on actions at first, for ppo on `policy`. 0.15 is that of demonstrations, in whose reach a clone
    knows its way; where nothing can be dropped or knocked over, 0.7 learns several times faster."""
    shift_px: Count = 4
    """Largest random shift of a frame [px]; where the encoder is trained."""
    check_every: Positive = 2000
    """Env steps from one check of the greedy policy to the next."""
    num_check_episodes: Positive = 50
    """Episodes of a check; their seeds are not those of the final score."""
    stop_at: Share = 1.0
    """Training stops after a check with this success, 0-1."""
    num_eval_episodes: Positive = 100
    """Episodes that the policy is scored on once in the end."""
    num_workers: Count = 1
    """Processes for that score; 0: one for each CPU core."""
    seed: Count = 0
    """Of weights, batches, exploration and the episodes of training."""
    device: str = "auto"
    """auto, cpu or cuda, where the encoder is trained; what learns on features or state is too small to gain from a
    GPU."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
