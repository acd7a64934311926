"""What arm envs and control envs have in common: episodes, observations, pictures and records."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, get_args

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, Float32, UInt8

from robossl_envs.described import Described
from robossl_envs.domains import Domain
from robossl_envs.drawn import Drawn
from robossl_envs.errors import EnvError
from robossl_envs.experts.scripted import Script, ScriptedPolicy, ScriptKind
from robossl_envs.keywords import Keywords, check_choice
from robossl_envs.observations import observation_space
from robossl_envs.pictures import Pictures
from robossl_envs.randomization import Randomization
from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.replay import draw_episode, recorded_seed
from robossl_envs.streams import stream

CONTROL_HZ = 20.0


class VisualEnv(Drawn, gym.Env[Any, Float32[np.ndarray, " A"]]):
    """A task, seen by cameras.

    The observation is `{"pixels": {camera: uint8 [H,W,3]}, "agent_pos": float32 [S]}` (`nested`); `flat` has one key a
    camera (`pixels.front`), `state` is agent_pos and environment state without pictures, `goal` is the goal-conditioned
    dict. `terminated` says that the task is solved. `info` holds `is_success`, `environment_state` and `visual_state`
    after every reset and step.

    Args:
        task: What it is about.
        keywords: That the env was made with.
        pictures: Of its scene.
        randomization: Of its domain.
        action_names: One for each number of an action.
        action_scale: What 1 means in each, with the unit in the name.
        proprio_size: Of `agent_pos`.
        goal_size: Of a goal in the goal-conditioned form.
        environment_state_names: Of the numbers that follow the task's own.
    """

    _drawn: Draw
    """What was drawn for the episode; set by `_start`."""
    domains: ClassVar[tuple[str, ...]] = get_args(Domain)
    """Those that it can be made in."""
    engines: ClassVar[tuple[str, ...]] = ("bullet",)
    metadata = {"render_modes": ["rgb_array"], "render_fps": int(CONTROL_HZ)}  # noqa: RUF012 (Gymnasium's own shape)

    def __init__(
        self,
        task: Described,
        keywords: Keywords,
        *,
        pictures: Pictures,
        randomization: Randomization,
        action_names: Sequence[str],
        action_scale: Mapping[str, float],
        proprio_size: int,
        goal_size: int = 3,
        environment_state_names: tuple[str, ...] = (),
    ) -> None:
        self._described, self._keywords = task, keywords
        self._pictures, self._randomization = pictures, randomization
        self._action_names, self.action_scale = tuple(action_names), dict(action_scale)
        self.max_episode_steps = keywords.max_episode_steps or task.success.max_episode_steps
        self._episode_seed: int | None = None
        self._num_steps = self._steps_at_goal = 0
        self._goal_pixels: UInt8[np.ndarray, "H W C"] | None = None
        self.render_mode = keywords.render_mode
        self.environment_state_names = (*task.environment_state_names, *environment_state_names)
        if keywords.has_pictures:
            pictures.prepare()
        if keywords.obs_format == "goal":  # Stable-Baselines3 takes any env with this method for a goal-conditioned one
            self.compute_reward = self._hindsight_reward
        self.action_space = spaces.Box(-1.0, 1.0, (len(self._action_names),), np.float32)
        self.observation_space = observation_space(
            keywords.obs_format,
            cameras=keywords.cameras,
            height_px=keywords.height_px,
            width_px=keywords.width_px,
            proprio_size=proprio_size,
            state_size=len(self.environment_state_names),
            goal_size=goal_size,
            goal_image=keywords.goal_image,
        )

    @abstractmethod
    def _start(self, episode_seed: int, options: Mapping[str, Any] | None) -> None:
        """Draw an episode and put the world into its start; `_pictures` are told how it is seen."""

    @abstractmethod
    def _advance(self, action: Float[np.ndarray, " A"]) -> None:
        """Let 1/20 s pass."""

    @abstractmethod
    def _solved_state(self) -> Float[np.ndarray, " X"]:
        """Return the visual state of the episode's solved task."""

    @abstractmethod
    def _proprio(self) -> Float32[np.ndarray, " S"]:
        """Return what the robot's own sensors say."""

    @abstractmethod
    def _environment_state(self) -> Float32[np.ndarray, " E"]:
        """Return the simulator's truth about the task."""

    @abstractmethod
    def _error(self) -> float:
        """Return how far from solved it is, in the unit of the task's tolerance."""

    @abstractmethod
    def _goals(self) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
        """Return what was achieved and what is desired; empty where a task has no goal."""

    @abstractmethod
    def _goal_distance(self, achieved: Float[np.ndarray, "*N G"], desired: Float[np.ndarray, "*N G"]) -> Any:
        """Return how far goals are apart."""

    @property
    @abstractmethod
    def _env_id(self) -> str:
        """Return the id that records tell."""

    @property
    @abstractmethod
    def _num_solved_draws(self) -> int:
        """Return how many layouts were thrown away because they were solved."""

    @abstractmethod
    def _script(self, kind: ScriptKind, generator: np.random.Generator, seed: int) -> Script:
        """Return what a script wants to do at each step."""

    @abstractmethod
    def _close_world(self) -> None:
        """Free the engine."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the same seed gives the same layout in every domain.

        Args:
            seed: Of everything that is drawn.
            options: `{"record": ...}` starts the episode that `episode_record` or a data set tells of, whatever `seed`
                says: its actions then lead to the same states and pictures, bit for bit. `{"axes": ...}` draws this
                episode with some axes changed, as the keyword `randomization` takes them.

        Raises:
            EnvError: An option is not what is allowed.
        """
        recorded = recorded_seed(options)
        seed = seed if recorded is None else recorded
        super().reset(seed=seed)
        self._episode_seed = seed if seed is not None else int(self.np_random.integers(2**31))
        self._num_steps = self._steps_at_goal = 0
        self._start(self._episode_seed, options)
        if self._keywords.goal_image and self._keywords.has_pictures:
            self._goal_pixels = self._pictures.goal(self._solved_state())
        self._truth = self._environment_state()
        return self._observe(), self._info()

    def step(self, action: Float32[np.ndarray, " A"]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by 1/20 s."""
        if self._episode_seed is None:
            raise EnvError("call reset() before step()")
        action = np.asarray(action, dtype=np.float64)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            names = ", ".join(self._action_names)
            wanted = f"{len(self._action_names)} finite numbers in [-1, 1] ({names})"
            raise EnvError(f"an action has {wanted}, not {action.tolist()}")
        self._advance(np.minimum(np.maximum(action, -1.0), 1.0))  # np.clip costs five times as much on so few numbers
        self._num_steps += 1
        success, error = self._described.success, self._error()
        self._steps_at_goal = self._steps_at_goal + 1 if self._is_at_goal(error) else 0
        terminated = success.ends_episode and self._steps_at_goal >= success.hold_steps
        truncated = not terminated and self._num_steps >= self.max_episode_steps
        self._truth = self._environment_state()  # once for observation, info and expert: it is not for free
        return self._observe(), self._reward_now(error), terminated, truncated, self._info()

    def _is_at_goal(self, error: float) -> bool:
        return error < self._described.success.tolerance_m

    def _reward_now(self, error: float) -> float:
        return float(self._reward(error))

    def _reward(self, error: float | Float[np.ndarray, "*N"]) -> Float[np.ndarray, "*N"]:
        if self._keywords.reward_type == "dense":
            return -np.asarray(error)
        return np.where(np.asarray(error) < self._described.success.tolerance_m, 0.0, -1.0)

    def _hindsight_reward(
        self, achieved_goal: Float[np.ndarray, "*N G"], desired_goal: Float[np.ndarray, "*N G"], info: Any
    ) -> Float[np.ndarray, "*N"]:
        """Return the reward of having achieved one goal when another was wanted, for hindsight replay."""
        return self._reward(self._goal_distance(achieved_goal, desired_goal))

    def _draw_episode(self, options: Mapping[str, Any] | None, episode_seed: int, **more: Any) -> Draw:
        return draw_episode(
            self._randomization,
            options,
            episode_seed,
            num_steps=self.max_episode_steps,
            env_id=self._env_id,
            renderer=self._pictures.renderer_name,
            **more,
        )

    def _observe(self) -> Any:
        proprio = self._proprio()
        match self._keywords.obs_format:
            case "nested":
                return {"pixels": self._pixels(), "agent_pos": proprio, **self._goal()}
            case "flat":
                pixels = {f"pixels.{name}": image for name, image in self._pixels().items()}
                return {**pixels, "agent_pos": proprio, **self._goal()}
            case "state":
                return np.concatenate([proprio, self._truth])
            case "goal":
                achieved, desired = self._goals()
                truth = np.concatenate([proprio, self._truth])
                return {"observation": truth, "achieved_goal": achieved, "desired_goal": desired}

    def _pixels(self) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        return self._pictures.take(self._visual_state(), self._num_steps)

    def _goal(self) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        return {} if self._goal_pixels is None else {"goal": self._goal_pixels.copy()}

    def _info(self) -> dict[str, Any]:
        return {
            "is_success": self._steps_at_goal >= self._described.success.hold_steps,
            "environment_state": self._truth,
            "visual_state": self._visual_state().astype(np.float32),
        }

    def expert(
        self, *, kind: ScriptKind = "expert", noise: float = 0.0, burst_rate: float = 0.0, seed: int = 0
    ) -> ScriptedPolicy:
        """Return a scripted policy that reads this env's truth.

        Args:
            kind: `expert` solves the task, `play` explores at random.
            noise: Standard deviation of the disturbance of every step, in units of the largest action.
            burst_rate: Chance of each step, 0-1, that one drawn action takes the script's place for 2 to 8 steps.
            seed: Of the disturbance, of `play`, and of the way where several are equally good.
        """
        check_choice("kind of expert", kind, get_args(ScriptKind))
        generator = np.random.default_rng([seed, 1])
        return ScriptedPolicy(
            self._script(kind, generator, seed), noise=noise, burst_rate=burst_rate, generator=generator
        )

    def episode_record(self) -> dict[str, Any]:
        """Return what an episode is stored with beside its arrays: plain numbers, lists and texts."""
        if self._episode_seed is None:
            raise EnvError("call reset() before episode_record()")
        return {
            "env_id": self._env_id,
            "num_solved_draws": self._num_solved_draws,
            "goal": np.asarray(self._goals()[1]).tolist(),
            "seed": self._episode_seed,
            "domain": self._randomization.domain,
            "renderer": self._pictures.renderer_name,
            "randomization": self._randomization.asked,
            "variations": self._drawn.record(),
            "task": self._sentence(self._episode_seed),
            "fps_hz": CONTROL_HZ,
            "action_scale": self.action_scale,
            "environment_state_names": list(self.environment_state_names),
        }

    def _sentence(self, episode_seed: int) -> str:
        sentences = self._described.sentences
        if self._keywords.wording == "first":
            return sentences[0]
        return sentences[int(stream(episode_seed, "sentence").integers(len(sentences)))]

    def close(self) -> None:
        """Free engine and renderer; a second call does nothing."""
        self._close_world()
        self._pictures.close()
