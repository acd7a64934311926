"""The Gymnasium env of every arm task: simulation + robot + task + cameras + randomization."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, Float32, UInt8

from robossl_envs.arms import load_robot, load_task
from robossl_envs.cameras import cameras_of
from robossl_envs.clutter import CLUTTER, draw_clutter
from robossl_envs.domains import Domain
from robossl_envs.errors import EnvError, unknown
from robossl_envs.experts.controller import Controller, ScriptedPolicy
from robossl_envs.experts.play import Play
from robossl_envs.instants import poses, set_layout, visual_state
from robossl_envs.keywords import RewardType, Wording, check_image_size, check_keywords
from robossl_envs.observations import ObsFormat, observation_space
from robossl_envs.randomization import Asked, Randomization
from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.replay import draw_episode, recorded_seed
from robossl_envs.randomization.scenery import stage, taken_m
from robossl_envs.randomization.schedules import Pushes
from robossl_envs.randomization.sensor import GOAL_STEP, Sensor
from robossl_envs.randomization.table_view import TableView
from robossl_envs.randomization.timing import Timing
from robossl_envs.rendering.build import RendererName, build_renderer
from robossl_envs.rendering.look import Look
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.build import build_simulation
from robossl_envs.simulation.scene import RobotSpec, SceneSpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.streams import stream
from robossl_envs.tasks.task import Task

CONTROL_HZ = 20.0


class Shown(NamedTuple):
    """How an episode is seen; it can be sent to another process."""

    look: Look
    sensor: Sensor


class RobotEnv(gym.Env[Any, Float32[np.ndarray, " A"]]):
    """A robot arm with a task, seen by cameras.

    Actions are steps of the end effector in [-1, 1], and the place of the gripper where the task uses it (see `Robot`).
    The observation is `{"pixels": {camera: uint8 [H,W,3]},
    "agent_pos": float32 [S]}` (`nested`); `flat` has one key a camera (`pixels.front`), `state` is agent_pos and
    environment state without pictures, `goal` is the goal-conditioned dict. `terminated` says that the task is solved.
    `info` holds `is_success`, `environment_state` and `visual_state` after every reset and step.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": int(CONTROL_HZ)}  # noqa: RUF012 (Gymnasium's own shape)

    def __init__(
        self,
        task: str | Task,
        *,
        robot: str | RobotSpec = "panda",
        domain: Domain = "nominal",
        image_size: int | tuple[int, int] = 64,
        cameras: Sequence[str] = ("front",),
        obs_format: ObsFormat = "nested",
        reward_type: RewardType = "dense",
        renderer: RendererName = "auto",
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        goal_image: bool = False,
        wording: Wording = "first",
        randomization: Asked = None,
    ) -> None:
        """Build the world.

        Args:
            task: A name out of `robossl_envs.arms.TASKS`, or a task of your own.
            robot: A name out of `robossl_envs.arms.ROBOTS`, or an arm of your own.
            domain: See `Domain`.
            image_size: Side of the square pictures, or (height, width) [px].
            cameras: Names out of `front`, `wrist`.
            obs_format: See the class.
            reward_type: `dense` is the negative distance to the goal [m]; `sparse` is 0 within the tolerance, else -1.
            renderer: `auto` takes MuJoCo's own in the held-out domains, or TinyRenderer with the same frozen looks
                where there is no GL library; elsewhere `gl` where EGL works, and TinyRenderer where not. `gl` draws
                TinyRenderer's looks on OpenGL, many views at once: ten times faster in `render_states`. Name one
                where a number must not depend on the machine.
            max_episode_steps: None: the task's own.
            render_mode: `rgb_array` or None.
            goal_image: `observation["goal"]` shows the solved task through the first camera, uint8 [H,W,3].
            wording: `any` draws the task's sentence anew in every episode, `first` keeps the usual one.
            randomization: A preset (`light`, `medium`, `full`, `shifted`), or `{"preset": ..., "axes": {...}}`, where
                the axes are those of `robossl_envs.randomization.table`, each true, false or (low, high).
                None: `medium` in `randomized`, `shifted` in `shifted`.

        Raises:
            EnvError: A keyword has a value that is not allowed.
        """
        self._task = load_task(task) if isinstance(task, str) else task
        arm = load_robot(robot) if isinstance(robot, str) else robot
        self._cameras = cameras_of(arm)
        check_keywords(
            cameras=cameras,
            known_cameras=self._cameras,
            obs_format=obs_format,
            reward_type=reward_type,
            renderer=renderer,
            render_mode=render_mode,
            wording=wording,
        )
        self.render_mode = render_mode
        self._height_px, self._width_px = check_image_size(image_size)
        self._robot = Robot(arm, uses_gripper=self._task.uses_gripper, **self._task.robot_limits)
        self._goal_image, self._wording = goal_image, wording
        self._camera_names = tuple(cameras)
        self._obs_format, self._reward_type = obs_format, reward_type
        self._max_episode_steps = max_episode_steps or self._task.success.max_episode_steps
        clutter = CLUTTER if domain == "heldout_hard" else ()
        scene = SceneSpec(robot=arm, bodies=self._task.bodies + clutter, articulated=self._task.articulated)
        self._randomization = Randomization(domain, bodies=scene.drawn, cameras=self._cameras, asked=randomization)
        scene = replace(scene, bodies=(*scene.bodies, *self._randomization.extras))
        self._simulation = build_simulation(domain)
        self._simulation.load(scene)
        self._seen: Simulation = self._simulation
        self._simulation.step()  # Bullet's very first contact differs from all later ones: not left to an episode
        self._initial = self._simulation.save()
        self._renderer = (
            build_renderer(renderer, domain=domain, scene=scene) if obs_format in ("nested", "flat") else None
        )
        self._scene, self._renderer_name = scene, renderer
        self._episode_seed: int | None = None
        self.pictures_later = False
        """While this is true observations hold black pictures, and `instants` what it takes to draw the right ones."""
        self._instants: list[Float[np.ndarray, " X"]] = []
        if obs_format == "goal":  # Stable-Baselines3 takes any env that has this method for a goal-conditioned one
            self.compute_reward = self._hindsight_reward
        self.environment_state_names = (
            *self._task.environment_state_names,
            *(("gripper",) if self._robot.uses_gripper else ()),
        )
        self.action_space = spaces.Box(-1.0, 1.0, (self._robot.action_size,), np.float32)
        self.observation_space = observation_space(
            obs_format,
            cameras=self._camera_names,
            height_px=self._height_px,
            width_px=self._width_px,
            proprio_size=len(self._robot.proprio(self._simulation)),
            state_size=len(self.environment_state_names),
            goal_size=len(self._task.desired_goal(self._simulation)),
            goal_image=goal_image,
        )

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
        self._layout = self._task.draw_layout(stream(self._episode_seed, "layout"))
        if self._randomization.domain == "heldout_hard":
            generator = stream(self._episode_seed, "clutter")
            self._layout = draw_clutter(generator, self._layout, task=self._task, scene=self._scene)
        self._begin(self._draw_episode(options, self._episode_seed), self._episode_seed)
        self._simulation.restore(self._initial)
        self._simulation.set_dynamics(self._dynamics)
        set_layout(self._layout, self._simulation, self._scene, self._robot, self._staging)
        self._num_steps = self._steps_at_goal = 0
        self._instants = []
        self._goal_pixels = self._draw_goal() if self._goal_image and self._obs_format in ("nested", "flat") else None
        self._truth = self._environment_state()
        return self._observe(self._truth), self._info(self._truth)

    def step(self, action: Float32[np.ndarray, " A"]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by 1/20 s."""
        if self._episode_seed is None:
            raise EnvError("call reset() before step()")
        action = np.asarray(action, dtype=np.float64)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            raise EnvError(f"an action has {self._robot.action_size} finite numbers in [-1, 1], not {action.tolist()}")
        for part in self._timing.parts(action):
            if part.action is not None:
                self._robot.command(self._simulation, self._pushed(part.action))
            for name, force_n in self._pushes.forces_n(self._num_steps, self._masses_kg).items():
                self._simulation.apply_force(name, force_n)
            self._simulation.step(part.num_substeps)
        self._num_steps += 1
        distance_m = self._distance_m()
        self._steps_at_goal = self._steps_at_goal + 1 if self._is_at_goal(distance_m) else 0
        terminated = self._task.success.ends_episode and self._steps_at_goal >= self._task.success.hold_steps
        truncated = not terminated and self._num_steps >= self._max_episode_steps
        self._truth = truth = self._environment_state()  # once for observation, info and expert: it is not for free
        return self._observe(truth), self._reward(distance_m), terminated, truncated, self._info(truth)

    def _draw_episode(self, options: dict[str, Any] | None, episode_seed: int) -> Draw:
        return draw_episode(
            self._randomization,
            options,
            episode_seed,
            num_steps=self._max_episode_steps,
            env_id=self._env_id,
            renderer="none" if self._renderer is None else self._renderer.name,
            taken_m=self._taken_m,
        )

    def _taken_m(self) -> Float[np.ndarray, "N 3"]:
        """Return what distractors keep away from in this layout."""
        layouts = self._layout, self._task.solved(self._layout)
        instants = np.stack([poses(layout, self._scene) for layout in layouts])
        return taken_m(self._scene.drawn, instants, np.stack([layout.end_effector_m for layout in layouts]))

    def _begin(self, draw: Draw, episode_seed: int) -> None:
        """Take over what was drawn for an episode."""
        self._drawn, self._look = draw, draw.look
        self._staging = stage(draw, self._task.bodies, self._randomization.extras)
        self._seen = self._simulation
        if not self._staging.is_plain:
            self._seen = cast("Simulation", TableView(self._simulation, self._staging))
        self._robot.table_height_m = self._staging.table_height_m
        self._dynamics = draw.physics(self._staging.stands_in)
        self._timing, self._sensor, self._pushes = Timing(draw), Sensor(draw, episode_seed), Pushes(draw)
        self._masses_kg = {
            name: self._dynamics.masses_kg.get(name, body.mass_kg)
            for body in self._task.bodies
            if body.mass_kg > 0
            for name in (self._staging.stands_in.get(body.name, body.name),)
        }

    def _pushed(self, action: Float[np.ndarray, " A"]) -> Float[np.ndarray, " A"]:
        """Return the action that the hand follows, after a random push if there is one."""
        pushed_m = self._pushes.hand_m(self._num_steps)
        return (
            action if pushed_m is None else np.concatenate([action[:3] + pushed_m / self._robot.max_step_m, action[3:]])
        )

    @property
    def _env_id(self) -> str:
        return self.spec.id if self.spec else f"{self._robot.spec.name}/{self._task.name}"

    def _hindsight_reward(
        self, achieved_goal: Float[np.ndarray, "*N G"], desired_goal: Float[np.ndarray, "*N G"], info: Any
    ) -> Float[np.ndarray, "*N"]:
        """Return the reward of having achieved one goal when another was wanted, for hindsight replay."""
        return np.asarray(self._reward(self._task.distance(achieved_goal, desired_goal)))

    def render(self) -> UInt8[np.ndarray, "H W C"] | None:
        """Return the picture of the first camera."""
        if self.render_mode is None:
            return None
        return self.render_states([self._simulation.visual_state()], [self._look], camera=self._camera_names[0])[0]

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
        return self._draw(np.asarray(visual_states), looks, [camera] * len(looks)).pixels

    def instants(self) -> tuple[Float[np.ndarray, "L1 X"], Shown]:
        """Return the states of the episode so far and how they are seen, for `draw_instants`: in one call it draws
        what the observations would have shown. Kept while `pictures_later` is true.
        """
        if not self._instants:
            raise EnvError("no instant was kept: set pictures_later to True before reset()")
        return np.stack(self._instants), Shown(self._look, self._sensor)

    def draw_instants(
        self, states: Float[np.ndarray, "L1 X"], shown: Shown, *, camera: str
    ) -> UInt8[np.ndarray, "L1 H W C"]:
        """Draw what the observations of an episode would have shown of one camera; once for each camera."""
        drawn = self.render_states(states, [shown.look], camera=camera)
        return np.stack([shown.sensor.deliver(camera, step, picture) for step, picture in enumerate(drawn)])

    def render_views(self, *, depth: bool = False, masks: bool = False) -> dict[str, Rendered]:
        """Draw the present instant through every camera, with depth [m] and masks on request."""
        state = self._simulation.visual_state()[None]
        return {name: self._draw(state, [self._look], [name], depth=depth, masks=masks) for name in self._camera_names}

    def sample_looks(self, num_looks: int, *, seed: int) -> list[Look]:
        """Draw looks from the domain's randomization, for `render_states`."""
        return [self._randomization.look(seed, name=f"look{index}") for index in range(num_looks)]

    def growing_axes(self) -> dict[str, tuple[float, float, float]]:
        """Return nominal, least and largest value of each axis that automatic randomization can widen."""
        return self._randomization.growing()

    def expert(
        self, *, kind: Literal["expert", "play"] = "expert", noise: float = 0.0, seed: int = 0
    ) -> ScriptedPolicy:
        """Return a scripted policy that reads this env's truth.

        Args:
            kind: `expert` solves the task, `play` wanders.
            noise: Standard deviation of the disturbance of every step, in units of the largest action.
            seed: Of the disturbance, of `play`, and of the way where several are equally good.
        """
        generator = np.random.default_rng([seed, 1])
        controllers: dict[str, Controller] = {
            "expert": self._task.make_controller(np.random.default_rng([seed, 2])),
            "play": Play(generator),
        }
        if kind not in controllers:
            raise unknown("kind of expert", kind, controllers)
        return ScriptedPolicy(
            controllers[kind],
            read_state=self._state_by_name,
            read_unfinished=lambda: self._timing.unfinished(),
            max_step_m=self._robot.max_step_m,
            noise=noise,
            generator=generator,
        )

    def episode_record(self) -> dict[str, Any]:
        """Return what an episode is stored with beside its arrays: plain numbers, lists and texts."""
        if self._episode_seed is None:
            raise EnvError("call reset() before episode_record()")
        return {
            "goal": self._task.desired_goal(self._seen).tolist(),
            "seed": self._episode_seed,
            "env_id": self._env_id,
            "domain": self._randomization.domain,
            "renderer": "none" if self._renderer is None else self._renderer.name,
            "randomization": self._randomization.asked,
            "variations": self._drawn.record(),
            "num_solved_draws": self._layout.num_solved_draws,
            "task": self._sentence(),
            "fps_hz": CONTROL_HZ,
        }

    def _sentence(self) -> str:
        sentences = self._task.sentences
        if self._wording == "first" or self._episode_seed is None:
            return sentences[0]
        return sentences[int(stream(self._episode_seed, "sentence").integers(len(sentences)))]

    def _draw_goal(self) -> UInt8[np.ndarray, "H W C"]:
        solved = visual_state(self._task.solved(self._layout), self._scene, self._robot, self._staging)
        camera = self._camera_names[0]
        return self._sensor.distort(camera, GOAL_STEP, self._draw(solved[None], [self._look], [camera]).pixels[0])

    def close(self) -> None:
        """Free engine and renderer; a second call does nothing."""
        self._simulation.close()
        if self._renderer is not None:
            self._renderer.close()

    def _draw(
        self,
        states: Float[np.ndarray, "V X"],
        looks: Sequence[Look],
        camera_names: Sequence[str],
        *,
        depth: bool = False,
        masks: bool = False,
    ) -> Rendered:
        if self._renderer is None:
            self._renderer = build_renderer(self._renderer_name, domain=self._randomization.domain, scene=self._scene)
        cameras = [look.cameras.get(name, self._cameras[name]) for look, name in zip(looks, camera_names, strict=True)]
        return self._renderer.render(
            states, cameras, looks, height_px=self._height_px, width_px=self._width_px, depth=depth, masks=masks
        )

    def _observe(self, truth: Float32[np.ndarray, " E"]) -> Any:
        proprio = self._robot.proprio(self._simulation)
        match self._obs_format:
            case "nested":
                return {"pixels": self._pixels(), "agent_pos": proprio, **self._goal()}
            case "flat":
                pixels = {f"pixels.{name}": image for name, image in self._pixels().items()}
                return {**pixels, "agent_pos": proprio, **self._goal()}
            case "state":
                return np.concatenate([proprio, truth])
            case "goal":
                end_effector_m = self._robot.end_effector_position(self._seen)
                return {
                    "observation": np.concatenate([proprio, truth]),
                    "achieved_goal": np.array(self._task.achieved_goal(self._seen, end_effector_m)),
                    "desired_goal": np.array(self._task.desired_goal(self._seen)),
                }

    def _pixels(self) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        names = self._camera_names
        if self.pictures_later:
            self._instants.append(self._simulation.visual_state())
            return {name: np.zeros((self._height_px, self._width_px, 3), np.uint8) for name in names}
        states = np.repeat(self._simulation.visual_state()[None], len(names), axis=0)
        drawn = self._draw(states, [self._look] * len(names), names)
        taken = zip(names, drawn.pixels, strict=True)
        return {name: self._sensor.deliver(name, self._num_steps, picture) for name, picture in taken}

    def _goal(self) -> dict[str, UInt8[np.ndarray, "H W C"]]:
        return {} if self._goal_pixels is None else {"goal": self._goal_pixels}

    def _info(self, truth: Float32[np.ndarray, " E"]) -> dict[str, Any]:
        return {
            "is_success": self._steps_at_goal >= self._task.success.hold_steps,
            "environment_state": truth,
            "visual_state": self._simulation.visual_state().astype(np.float32),
        }

    def _environment_state(self) -> Float32[np.ndarray, " E"]:
        end_effector_m = self._robot.end_effector_position(self._seen)
        state = self._task.environment_state(self._seen, end_effector_m)
        gripper = [self._robot.opening_m(self._simulation)] if self._robot.uses_gripper else []
        return np.concatenate([state, gripper]).astype(np.float32)

    def _state_by_name(self) -> dict[str, Float[np.ndarray, " K"]]:
        """Return the numbers of the last `environment_state` that share what stands before the dot."""
        values: dict[str, list[float]] = {}
        for name, value in zip(self.environment_state_names, self._truth.tolist(), strict=True):
            values.setdefault(name.split(".")[0], []).append(value)
        return {name: np.array(numbers) for name, numbers in values.items()}

    def _is_at_goal(self, distance_m: float) -> bool:
        success = self._task.success
        held = (self._seen.contacts("robot", name) for name in success.released)
        return distance_m < success.tolerance_m and not any(held)

    def _distance_m(self) -> float:
        end_effector_m = self._robot.end_effector_position(self._seen)
        achieved = self._task.achieved_goal(self._seen, end_effector_m)
        return float(self._task.distance(achieved, self._task.desired_goal(self._seen)))

    def _reward(self, distance_m: Any) -> Any:
        if self._reward_type == "dense":
            return -distance_m
        within = distance_m < self._task.success.tolerance_m
        return np.where(within, 0.0, -1.0) if isinstance(within, np.ndarray) else (0.0 if within else -1.0)
