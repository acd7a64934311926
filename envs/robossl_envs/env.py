"""The Gymnasium env of every arm task: simulation + robot + task + cameras + randomization."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np
from jaxtyping import Float, Float32

from robossl_envs.arms import load_robot, load_task
from robossl_envs.cameras import cameras_of
from robossl_envs.clutter import CLUTTER, draw_clutter
from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.errors import EnvError
from robossl_envs.experts.controller import Controller, as_action
from robossl_envs.experts.play import Play
from robossl_envs.experts.scripted import Script, ScriptKind
from robossl_envs.instants import poses, set_layout, visual_state
from robossl_envs.keywords import ImageSize, RewardType, Wording, check_choice, check_keywords
from robossl_envs.observations import ObsFormat
from robossl_envs.pictures import Pictures
from robossl_envs.randomization import Asked, Randomization
from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.scenery import stage, taken_m
from robossl_envs.randomization.schedules import Pushes
from robossl_envs.randomization.sensor import Sensor
from robossl_envs.randomization.table_view import TableView
from robossl_envs.randomization.timing import Timing
from robossl_envs.rendering.build import RendererName
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.build import EngineName, build_simulation
from robossl_envs.simulation.scene import RobotSpec, SceneSpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.streams import stream
from robossl_envs.tasks.task import Task
from robossl_envs.visual_env import VisualEnv


class RobotEnv(VisualEnv):
    """A robot arm with a task, on PyBullet or on MuJoCo.

    Actions are steps of the end effector in [-1, 1], and the place of the gripper where the task uses it (see `Robot`).
    """

    engines = ("bullet", "mujoco")

    def __init__(
        self,
        task: str | Task,
        *,
        robot: str | RobotSpec = "panda",
        domain: Domain = "nominal",
        image_size: ImageSize = 64,
        cameras: Sequence[str] = ("front",),
        obs_format: ObsFormat = "nested",
        reward_type: RewardType = "dense",
        renderer: RendererName = "auto",
        engine: EngineName = "auto",
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
            engine: `auto` takes MuJoCo in the held-out domains and PyBullet in the others. `mujoco` elsewhere changes
                the physics alone: the same looks, and the same joints and poses at the start.
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
        nominal_cameras = cameras_of(arm)
        keywords = check_keywords(
            known_cameras=nominal_cameras,
            cameras=cameras,
            image_size=image_size,
            obs_format=obs_format,
            reward_type=reward_type,
            max_episode_steps=max_episode_steps,
            render_mode=render_mode,
            goal_image=goal_image,
            wording=wording,
        )
        check_choice("renderer", renderer, get_args(RendererName))
        check_choice("engine", engine, get_args(EngineName))
        if engine == "bullet" and domain in HELDOUT:
            raise EnvError(f"domain {domain!r} is the held-out engine's, MuJoCo; leave engine out")
        self._robot = Robot(arm, uses_gripper=self._task.uses_gripper, **self._task.robot_limits)
        clutter = CLUTTER if domain == "heldout_hard" else ()
        scene = SceneSpec(robot=arm, bodies=self._task.bodies + clutter, articulated=self._task.articulated)
        drawn_from = Randomization(domain, bodies=scene.drawn, cameras=nominal_cameras, asked=randomization)
        self._scene = replace(scene, bodies=(*scene.bodies, *drawn_from.extras))
        self._simulation = build_simulation(domain, engine)
        self._simulation.load(self._scene)
        self._seen: Simulation = self._simulation
        self._simulation.step()  # Bullet's very first contact differs from all later ones: not left to an episode
        self._initial = self._simulation.save()
        pictures = Pictures(self._scene, domain, renderer, cameras=nominal_cameras, keywords=keywords)
        super().__init__(
            self._task,
            keywords,
            pictures=pictures,
            randomization=drawn_from,
            action_names=self._robot.action_names,
            action_scale=self._robot.action_scale,
            proprio_size=len(self._robot.proprio(self._simulation)),
            goal_size=len(self._task.desired_goal(self._simulation)),
            environment_state_names=("gripper",) if self._robot.uses_gripper else (),
        )

    def _start(self, episode_seed: int, options: Mapping[str, Any] | None) -> None:
        self._layout = self._task.draw_layout(stream(episode_seed, "layout"))
        if self._randomization.domain == "heldout_hard":
            generator = stream(episode_seed, "clutter")
            self._layout = draw_clutter(generator, self._layout, task=self._task, scene=self._scene)
        self._begin(self._draw_episode(options, episode_seed, taken_m=self._taken_m), episode_seed)
        self._simulation.restore(self._initial)
        self._simulation.set_dynamics(self._dynamics)
        set_layout(self._layout, self._simulation, self._scene, self._robot, self._staging)

    def _advance(self, action: Float[np.ndarray, " A"]) -> None:
        for part in self._timing.parts(action):
            if part.action is not None:
                self._robot.command(self._simulation, self._pushed(part.action))
            for name, force_n in self._pushes.forces_n(self._num_steps, self._masses_kg).items():
                self._simulation.apply_force(name, force_n)
            self._simulation.step(part.num_substeps)

    def _taken_m(self) -> Float[np.ndarray, "N 3"]:
        """Return what distractors keep away from in this layout."""
        layouts = self._layout, self._task.solved(self._layout)
        instants = np.stack([poses(layout, self._scene) for layout in layouts])
        return taken_m(self._scene.drawn, instants, np.stack([layout.end_effector_m for layout in layouts]))

    def _begin(self, draw: Draw, episode_seed: int) -> None:
        """Take over what was drawn for an episode."""
        self._drawn = draw
        self._staging = stage(draw, self._task.bodies, self._randomization.extras)
        self._seen = self._simulation
        if not self._staging.is_plain:
            self._seen = cast("Simulation", TableView(self._simulation, self._staging))
        self._robot.table_height_m = self._staging.table_height_m
        self._dynamics = draw.physics(self._staging.stands_in)
        self._timing, self._pushes = Timing(draw), Pushes(draw)
        self._pictures.begin(draw.look, Sensor(draw, episode_seed))
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

    @property
    def _num_solved_draws(self) -> int:
        return self._layout.num_solved_draws

    def _script(self, kind: ScriptKind, generator: np.random.Generator, seed: int) -> Script:
        chooses = np.random.default_rng([seed, 2])
        controller: Controller = Play(generator) if kind == "play" else self._task.make_controller(chooses)

        def wish() -> Float[np.ndarray, " A"]:
            wanted = controller(self._state_by_name())
            return as_action(wanted, self._timing.unfinished(), max_step_m=self._robot.max_step_m)

        return Script(wish, num_disturbed=3)  # the gripper is not disturbed: it would drop things

    def _state_by_name(self) -> dict[str, Float[np.ndarray, " K"]]:
        """Return the numbers of the last `environment_state` that share what stands before the dot."""
        values: dict[str, list[float]] = {}
        for name, value in zip(self.environment_state_names, self._truth.tolist(), strict=True):
            values.setdefault(name.split(".")[0], []).append(value)
        return {name: np.array(numbers) for name, numbers in values.items()}

    def _visual_state(self) -> Float[np.ndarray, " X"]:
        return self._simulation.visual_state()

    def _solved_state(self) -> Float[np.ndarray, " X"]:
        return visual_state(self._task.solved(self._layout), self._scene, self._robot, self._staging)

    def _proprio(self) -> Float32[np.ndarray, " S"]:
        return self._robot.proprio(self._simulation)

    def _environment_state(self) -> Float32[np.ndarray, " E"]:
        end_effector_m = self._robot.end_effector_position(self._seen)
        state = self._task.environment_state(self._seen, end_effector_m)
        gripper = [self._robot.opening_m(self._simulation)] if self._robot.uses_gripper else []
        return np.concatenate([state, gripper]).astype(np.float32)

    def _goals(self) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
        end_effector_m = self._robot.end_effector_position(self._seen)
        achieved = self._task.achieved_goal(self._seen, end_effector_m)
        return np.array(achieved), np.array(self._task.desired_goal(self._seen))

    def _goal_distance(self, achieved: Float[np.ndarray, "*N G"], desired: Float[np.ndarray, "*N G"]) -> Any:
        return self._task.distance(achieved, desired)

    def _error(self) -> float:
        return float(self._task.distance(*self._goals()))

    def _is_at_goal(self, error: float) -> bool:
        held = (self._seen.contacts("robot", name) for name in self._task.success.released)
        return super()._is_at_goal(error) and not any(held)

    def _close_world(self) -> None:
        self._simulation.close()
