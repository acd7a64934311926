"""The Gymnasium env of every control task: world + task + cameras + randomization, an arm env from the outside."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, Float32, UInt8

from robossl_envs.control.agents import Controller, Play, ScriptedPolicy
from robossl_envs.control.task import ControlTask, GoalTask
from robossl_envs.control.tasks import TASKS
from robossl_envs.control.views import Views
from robossl_envs.control.world import World
from robossl_envs.domains import Domain
from robossl_envs.errors import EnvError, unknown
from robossl_envs.keywords import RewardType, Wording, check_image_size, check_keywords
from robossl_envs.observations import ObsFormat, observation_space
from robossl_envs.randomization import Asked, Randomization
from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.replay import draw_episode, recorded_seed
from robossl_envs.randomization.sensor import GOAL_STEP, Sensor
from robossl_envs.randomization.table import CONTROL_AXES
from robossl_envs.randomization.timing import Timing
from robossl_envs.rendering.look import Look, Surface
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.streams import stream

CONTROL_HZ = 20.0
DOMAINS = ("nominal", "randomized", "shifted")
RENDERERS = ("auto", "tiny")


class ControlEnv(gym.Env[Any, Float32[np.ndarray, " A"]]):
    """A control task, seen by cameras.

    Observation, `info`, records and experts are those of `RobotEnv`; the camera called `front` is the main one, which
    looks from above where that shows most. `terminated` says that the task is solved.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": int(CONTROL_HZ)}  # noqa: RUF012 (Gymnasium's own shape)

    def __init__(
        self,
        task: str,
        *,
        domain: Domain = "nominal",
        image_size: int | tuple[int, int] = 64,
        cameras: Sequence[str] = ("front",),
        obs_format: ObsFormat = "nested",
        reward_type: RewardType = "dense",
        renderer: Literal["auto", "tiny"] = "auto",
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        goal_image: bool = False,
        wording: Wording = "first",
        randomization: Asked = None,
    ) -> None:
        """Build the world.

        Args:
            task: Name of the task's module.
            domain: `nominal`, `randomized` or `shifted`; there is no held-out engine for control tasks.
            image_size: Side of the square pictures, or (height, width) [px].
            cameras: Names out of the task's.
            obs_format: `nested`, `flat`, `state`, and `goal` where the task brings one point to another.
            reward_type: `dense` is the task's own, at most 0; `sparse` is 0 within the tolerance, else -1.
            renderer: Both are TinyRenderer.
            max_episode_steps: None: the task's own.
            render_mode: `rgb_array` or None.
            goal_image: `observation["goal"]` shows the solved task through the first camera, uint8 [H,W,3].
            wording: `any` draws the task's sentence anew in every episode, `first` keeps the usual one.
            randomization: As an arm env takes it; the physics are those of the task's own table.

        Raises:
            EnvError: A keyword has a value that is not allowed.
        """
        self._task: ControlTask = TASKS[task]()
        self._cameras = {camera.name: camera for camera in self._task.cameras}
        self._check_domain(domain)
        check_keywords(
            cameras=cameras,
            known_cameras=self._cameras,
            obs_format=obs_format,
            reward_type=reward_type,
            render_mode=render_mode,
            wording=wording,
        )
        self._check_format(obs_format, renderer)
        self.render_mode = render_mode
        self._height_px, self._width_px = check_image_size(image_size)
        self._camera_names = tuple(cameras)
        self._obs_format, self._reward_type = obs_format, reward_type
        self._goal_image, self._wording = goal_image and obs_format in ("nested", "flat"), wording
        self._max_episode_steps = max_episode_steps or self._task.success.max_episode_steps
        coloured = tuple(body for body in self._task.bodies if body.surface != "robot")  # which only gets a tint
        self._nominal = {row.name: row.nominal for row in self._task.variations}
        self._randomization = Randomization(
            domain,
            bodies=coloured,
            cameras=self._cameras,
            asked=randomization,
            axes=(*CONTROL_AXES, *(row.axis() for row in self._task.variations)),
        )
        self._world = World(self._task.scene, links=self._task.links)
        self._views = Views(
            self._task.scene,
            domain=domain,
            cameras=self._cameras,
            height_px=self._height_px,
            width_px=self._width_px,
        )
        self._episode_seed: int | None = None
        if obs_format == "goal":  # Stable-Baselines3 takes any env that has this method for a goal-conditioned one
            self.compute_reward = self._hindsight_reward
        self.environment_state_names = self._task.environment_state_names
        self.action_space = spaces.Box(-1.0, 1.0, (len(self._task.action_names),), np.float32)
        self.observation_space = self._space()

    def _check_domain(self, domain: str) -> None:
        if domain in ("heldout", "heldout_hard"):
            raise EnvError(
                f"{self._task.env_id} has no domain {domain!r}, since control tasks have no second engine: "
                f"use one of {', '.join(DOMAINS)}"
            )
        if domain not in DOMAINS:
            raise unknown("domain", domain, DOMAINS)

    def _check_format(self, obs_format: str, renderer: str) -> None:
        if obs_format == "goal" and not isinstance(self._task, GoalTask):
            raise EnvError(
                f"{self._task.env_id} has no goal-conditioned form, since its goal is always the same: "
                "use obs_format nested, flat or state"
            )
        if renderer not in RENDERERS:
            raise unknown("renderer", renderer, RENDERERS)

    def _space(self) -> spaces.Space[Any]:
        self._world.reset(self._nominal)
        return observation_space(
            self._obs_format,
            cameras=self._camera_names,
            height_px=self._height_px,
            width_px=self._width_px,
            proprio_size=len(self._task.proprio(self._world)),
            state_size=len(self.environment_state_names),
            goal_image=self._goal_image,
        )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the same seed gives the same layout in every domain. `options` are those of an arm env."""
        recorded = recorded_seed(options)
        seed = seed if recorded is None else recorded
        super().reset(seed=seed)
        self._episode_seed = seed if seed is not None else int(self.np_random.integers(2**31))
        self._layout = layout = self._task.draw_layout(stream(self._episode_seed, "layout"))
        self._drawn = draw = self._draw_episode(options, self._episode_seed)
        self._look, self._timing, self._sensor = draw.look, Timing(draw), Sensor(draw, self._episode_seed)
        self._action = np.zeros(len(self._task.action_names))
        self._world.reset({name: draw.number(name, nominal) for name, nominal in self._nominal.items()})
        self._task.place(self._world, layout)
        self._task.place_solved(self._world, layout)
        self._goal_state = self._world.visual_state()
        self._task.place(self._world, layout)
        self._goal_pixels: UInt8[np.ndarray, "H W C"] | None = None
        self._num_steps = self._steps_within = 0
        return self._observe(), self._info()

    def step(self, action: Float32[np.ndarray, " A"]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by 1/20 s."""
        if self._episode_seed is None:
            raise EnvError("call reset() before step()")
        action = np.asarray(action, dtype=np.float64)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            names = ", ".join(self._task.action_names)
            count = len(self._task.action_names)
            raise EnvError(f"an action has {count} finite numbers in [-1, 1] ({names}), not {action.tolist()}")
        action = np.clip(action, -1.0, 1.0)
        for part in self._timing.parts(action):
            self._action = self._action if part.action is None else part.action
            self._world.step(lambda: self._task.actuate(self._world, self._action), part.num_substeps)
        self._num_steps += 1
        within = self._task.error(self._world) < self._task.success.tolerance_m
        self._steps_within = self._steps_within + 1 if within else 0
        terminated = self._task.success.ends_episode and self._steps_within >= self._task.success.hold_steps
        truncated = not terminated and self._num_steps >= self._max_episode_steps
        dense = self._reward_type == "dense"
        reward = self._task.dense_reward(self._world) if dense else (0.0 if within else -1.0)
        return self._observe(), reward, terminated, truncated, self._info()

    def _draw_episode(self, options: dict[str, Any] | None, episode_seed: int) -> Draw:
        draw = draw_episode(
            self._randomization,
            options,
            episode_seed,
            num_steps=self._max_episode_steps,
            env_id=self._task.env_id,
            renderer=self._views.renderer_name,
        )
        return draw if (options or {}).get("record") else replace(draw, look=self._fitting(draw.look))

    def _hindsight_reward(
        self, achieved_goal: Float[np.ndarray, "*N 3"], desired_goal: Float[np.ndarray, "*N 3"], info: Any
    ) -> Float[np.ndarray, "*N"]:
        """Return the reward of having achieved one goal when another was wanted, for hindsight replay."""
        distance_m = np.asarray(np.linalg.norm(np.subtract(achieved_goal, desired_goal), axis=-1))
        within = distance_m < self._task.success.tolerance_m
        return -distance_m if self._reward_type == "dense" else np.where(within, 0.0, -1.0)

    def render(self) -> UInt8[np.ndarray, "H W C"] | None:
        """Return the picture of the first camera."""
        if self.render_mode is None:
            return None
        return self.render_states([self._world.visual_state()], [self._look], camera=self._camera_names[0])[0]

    def render_states(
        self,
        visual_states: Float[np.ndarray, "V X"] | Sequence[Float[np.ndarray, " X"]],
        looks: Sequence[Look],
        *,
        camera: str = "front",
    ) -> UInt8[np.ndarray, "V H W C"]:
        """Draw stored instants again through one camera, each under its own look (or all under the only one given)."""
        looks = list(looks) * (len(visual_states) if len(looks) == 1 else 1)
        if camera not in self._cameras:
            raise unknown("camera", camera, self._cameras)
        return self._views.draw(np.asarray(visual_states), looks, [camera] * len(looks)).pixels

    def render_views(self, *, depth: bool = False, masks: bool = False) -> dict[str, Rendered]:
        """Draw the present instant through every camera, with depth [m] and masks on request."""
        state = self._world.visual_state()[None]
        return {
            name: self._views.draw(state, [self._look], [name], depth=depth, masks=masks) for name in self._camera_names
        }

    def sample_looks(self, num_looks: int, *, seed: int) -> list[Look]:
        """Draw looks from the domain's randomization, for `render_states`."""
        return [self._fitting(self._randomization.look(seed, name=f"look{index}")) for index in range(num_looks)]

    def growing_axes(self) -> dict[str, tuple[float, float, float]]:
        """Return nominal, least and largest value of each axis that automatic randomization can widen."""
        return self._randomization.growing()

    def expert(
        self, *, kind: Literal["expert", "play"] = "expert", noise: float = 0.0, seed: int = 0
    ) -> ScriptedPolicy:
        """Return a scripted policy: `expert` reads this env's truth and solves the task, `play` explores at random.

        Args:
            kind: Which one.
            noise: Standard deviation of the disturbance of every step, in units of the largest action.
            seed: Of the disturbance and of `play`.
        """
        generator = np.random.default_rng([seed, 1])
        controllers: dict[str, Controller] = {
            "expert": self._controlled,
            "play": Play(len(self._task.action_names), generator),
        }
        if kind not in controllers:
            raise unknown("kind of expert", kind, controllers)
        return ScriptedPolicy(controllers[kind], noise=noise, generator=generator)

    def episode_record(self) -> dict[str, Any]:
        """Return what an episode is stored with beside its arrays: plain numbers, lists and texts."""
        if self._episode_seed is None:
            raise EnvError("call reset() before episode_record()")
        goal = self._task.desired_goal(self._world).tolist() if isinstance(self._task, GoalTask) else []
        return {
            "goal": goal,
            "seed": self._episode_seed,
            "env_id": self._task.env_id,
            "domain": self._randomization.domain,
            "renderer": self._views.renderer_name,
            "randomization": self._randomization.asked,
            "variations": self._drawn.record(),
            "num_solved_draws": self._layout.get("num_solved_draws", 0),
            "task": self._sentence(self._episode_seed),
            "fps_hz": CONTROL_HZ,
        }

    def _sentence(self, episode_seed: int) -> str:
        sentences = self._task.sentences
        if self._wording == "first":
            return sentences[0]
        return sentences[int(stream(episode_seed, "sentence").integers(len(sentences)))]

    def close(self) -> None:
        """Free engine and renderer; a second call does nothing."""
        self._world.close()
        self._views.close()

    def _fitting(self, look: Look) -> Look:
        """Return the look as this task wears it."""
        tint = look.surfaces["robot"]
        white = Surface(rgb=(min(1.0, tint.rgb[0]), min(1.0, tint.rgb[1]), min(1.0, tint.rgb[2])))
        look = replace(look, surfaces={**look.surfaces, "robot": white})  # worn as a colour, not as a factor
        if not self._task.upright:
            return look
        x, y, z = look.light.direction
        return replace(look, light=replace(look.light, direction=(x, -z, abs(y))))

    def _controlled(self) -> Float[np.ndarray, " A"]:
        state = self._task.environment_state(self._world).tolist()
        return np.array(self._task.expert(dict(zip(self.environment_state_names, state, strict=True))))

    def _observe(self) -> Any:
        proprio = self._task.proprio(self._world).astype(np.float32)
        match self._obs_format:
            case "nested":
                return {"pixels": self._pixels(), "agent_pos": proprio, **self._goal()}
            case "flat":
                pixels = {f"pixels.{name}": image for name, image in self._pixels().items()}
                return {**pixels, "agent_pos": proprio, **self._goal()}
            case "state":
                return np.concatenate([proprio, self._environment_state()])
            case "goal":
                assert isinstance(self._task, GoalTask)  # checked when the env was made
                return {
                    "observation": np.concatenate([proprio, self._environment_state()]),
                    "achieved_goal": self._task.achieved_goal(self._world),
                    "desired_goal": self._task.desired_goal(self._world),
                }

    def _pixels(self) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        taken = self._views.draw_instant(self._world.visual_state(), self._look, self._camera_names)
        return {name: self._sensor.deliver(name, self._num_steps, picture) for name, picture in taken.items()}

    def _goal(self) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        if not self._goal_image:
            return {}
        if self._goal_pixels is None:
            camera = self._camera_names[0]
            clean = self._views.draw_instant(self._goal_state, self._look, [camera])[camera]
            self._goal_pixels = self._sensor.distort(camera, GOAL_STEP, clean)
        return {"goal": self._goal_pixels.copy()}

    def _info(self) -> dict[str, Any]:
        return {
            "is_success": self._steps_within >= self._task.success.hold_steps,
            "environment_state": self._environment_state(),
            "visual_state": self._world.visual_state().astype(np.float32),
        }

    def _environment_state(self) -> Float32[np.ndarray, " E"]:
        return self._task.environment_state(self._world).astype(np.float32)
