"""What `robossl reinforce` refuses before anything is learned."""

from collections.abc import Iterable

import gymnasium as gym

from robossl.config.env import DEFAULT_IMAGE_SIZE_PX, EVALUATION_SEED, HELDOUT
from robossl.config.reinforce import ReinforceConfig
from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.heads.head import RegressionHead
from robossl.policies.network import PolicyNetwork
from robossl.policies.rl.statistics import NUM_EPISODES, NUM_STEPS
from robossl.policies.saving import ExecutionSpec
from robossl.stages.reinforce_learning import CHECK_SEED


def require_learners() -> None:
    """Refuse to go on without Stable-Baselines3.

    Raises:
        ConfigError: it is not installed; names the extra.
    """
    try:
        import stable_baselines3  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "stable_baselines3":
            raise
        raise ConfigError(
            "reinforce needs Stable-Baselines3, which is not installed: pip install 'robossl[sb3]'"
        ) from error


def check_config(config: ReinforceConfig) -> None:
    """Refuse values that do not go together.

    Raises:
        ConfigError: says which, and what to change.
    """
    sees_state = config.encoder == "state"
    if config.domain.startswith(HELDOUT):
        raise ConfigError(f"domain is {config.domain!r}, which is only measured in; train in randomized")
    if len(set(config.cameras)) < len(config.cameras):
        raise ConfigError(f"cameras names one twice: {', '.join(config.cameras)}; name each once")
    if config.cameras[:1] == (GOAL_VIEW,):
        raise ConfigError(
            f"cameras begin with {GOAL_VIEW!r}, which is what the first of them shows at the end; name one"
        )
    if config.policy is None and config.num_steps <= NUM_EPISODES * NUM_STEPS:
        raise ConfigError(
            f"num_steps is {config.num_steps}, but up to {NUM_EPISODES * NUM_STEPS} steps of play come first, which "
            "proprio and features are standardized with; give more"
        )
    if config.policy is not None and (config.algorithm != "ppo" or config.mode != "frozen"):
        raise ConfigError("a cloned policy goes on learning with algorithm ppo and mode frozen alone; set these")
    if config.mode != "frozen" and sees_state:
        raise ConfigError("encoder 'state' has no weights to learn; use mode frozen")
    if config.mode != "frozen" and config.algorithm != "sac":
        raise ConfigError(f"mode {config.mode} learns with sac alone, not with {config.algorithm}; use algorithm sac")
    if config.hindsight and not (sees_state and config.algorithm == "sac"):
        raise ConfigError(
            "hindsight tells goals again, which a picture does not allow; use it with encoder state and algorithm sac"
        )
    if config.reward == "goal_distance" and (sees_state or config.mode != "frozen"):
        raise ConfigError("reward goal_distance compares features of a frozen encoder; name one, or use reward env")
    if sees_state and config.num_observation_steps > 1:
        raise ConfigError("num_observation_steps counts pictures, and encoder 'state' sees none; leave it at 1")
    if config.hindsight and not config.proprio:
        raise ConfigError("hindsight needs proprio: the goal-conditioned form of an env holds it")


def check_first_episode(config: ReinforceConfig, env: gym.Env) -> None:
    """Refuse hindsight that would learn before an episode has ended: it tells whole ones again.

    Raises:
        ConfigError: says how many random steps are needed.
    """
    limits = (env.spec and env.spec.max_episode_steps, getattr(env.unwrapped, "max_episode_steps", None))
    longest = min((limit for limit in limits if limit), default=0)
    if config.hindsight and config.random_steps < longest:
        raise ConfigError(
            f"random_steps is {config.random_steps}, but hindsight learns from whole episodes, which here take up to "
            f"{longest} steps; give at least these"
        )


def check_clone(network: PolicyNetwork, execution: ExecutionSpec, config: ReinforceConfig) -> None:
    """Refuse a policy that reward can't go on teaching.

    Raises:
        ConfigError: its head draws its actions, it acts by more than the first one of a chunk, or nothing would tell it
            its reward.
    """
    if not isinstance(network.head, RegressionHead):
        raise ConfigError(
            f"policy {config.policy} has a head of kind {network.spec.kind!r}, which draws its actions; go on from one "
            "that gives one chunk, such as mlp"
        )
    if (execution.execution, execution.execute_steps) != ("receding", 1):
        how = f"execution {execution.execution} and execute_steps {execution.execute_steps}"
        raise ConfigError(
            f"policy {config.policy} acts with {how}, but ppo teaches the first action of a chunk alone; go on from "
            "one that was finetuned with execution receding and execute_steps 1"
        )
    if network.spec.action_low:
        raise ConfigError(
            f"policy {config.policy} gives actions in the units of its demonstrations, but reward teaches those in -1 "
            "to 1; go on from a clone of an env's demonstrations"
        )
    if config.reward == "goal_distance" and network.encoder is None:
        raise ConfigError(f"reward goal_distance compares features, but {config.policy} has none; use reward env")


def check_clone_seeds(seeds: Iterable[int], config: ReinforceConfig) -> None:
    """Refuse a clone of demonstrations that learning is checked on, or that its result is scored on.

    Raises:
        ConfigError: names the first such seed.
    """
    kept = {
        "scored on": range(EVALUATION_SEED, EVALUATION_SEED + config.num_eval_episodes),
        "checked on": range(CHECK_SEED, CHECK_SEED + config.num_check_episodes),
    }
    for what, episodes in kept.items():
        if met := set(seeds) & set(episodes):
            raise ConfigError(
                f"seed {min(met)} is one of the demonstrations of policy {config.policy}, and the episodes that it "
                f"would be {what} have the seeds {episodes.start} to {episodes.stop - 1}; clone demonstrations of "
                "other seeds"
            )


def check_image_size(image_size: int, encoder: Encoder | None) -> int:
    """Return the side of the env's frames [px].

    Raises:
        ConfigError: the encoder takes others.
    """
    if encoder is None:
        return image_size or DEFAULT_IMAGE_SIZE_PX
    height_px, width_px = encoder.image_size
    if height_px != width_px or image_size not in (0, height_px):
        asked = f"image_size is {image_size}" if image_size else "the env's frames are square"
        raise ConfigError(
            f"{asked}, but the encoder takes images of {height_px} x {width_px} px; leave image_size out, or pretrain "
            "an encoder on frames of that size"
        )
    return height_px
