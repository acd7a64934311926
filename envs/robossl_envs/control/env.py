"""The Gymnasium env of every control task: world + task + cameras + randomization, an arm env from the outside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32

from robossl_envs.control.play import Play
from robossl_envs.control.task import ControlTask, GoalTask
from robossl_envs.control.tasks import TASKS
from robossl_envs.control.world import World
from robossl_envs.domains import Domain
from robossl_envs.errors import EnvError
from robossl_envs.experts.scripted import Script, ScriptKind
from robossl_envs.keywords import ImageSize, RewardType, Wording, check_choice, check_keywords
from robossl_envs.observations import ObsFormat
from robossl_envs.pictures import Pictures
from robossl_envs.randomization import Asked, Randomization
from robossl_envs.randomization.sensor import Sensor
from robossl_envs.randomization.table import CONTROL_AXES
from robossl_envs.randomization.timing import Timing
from robossl_envs.rendering.look import Look, Surface
from robossl_envs.streams import stream
from robossl_envs.visual_env import VisualEnv

RENDERERS = ("auto", "tiny")
NO_GOAL = np.zeros(0)


class ControlEnv(VisualEnv):
    """A control task.

    The camera called `front` is the main one, which looks from above where that shows most.
    """

    domains = ("nominal", "randomized", "shifted")

    def __init__(
        self,
        task: str,
        *,
        domain: Domain = "nominal",
        image_size: ImageSize = 64,
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
        nominal_cameras = {camera.name: camera for camera in self._task.cameras}
        self._check_domain(domain)
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
        check_choice("renderer", renderer, RENDERERS)
        self._check_format(obs_format)
        coloured = tuple(body for body in self._task.bodies if body.surface != "robot")  # which only gets a tint
        self._nominal = {row.name: row.nominal for row in self._task.variations}
        drawn_from = Randomization(
            domain,
            bodies=coloured,
            cameras=nominal_cameras,
            asked=randomization,
            axes=(*CONTROL_AXES, *(row.axis() for row in self._task.variations)),
        )
        self._world = World(self._task.scene, links=self._task.links)
        self._world.reset(self._nominal)
        # TinyRenderer: the batched renderer draws arms, whose URDFs have a mesh and a colour for every visual
        pictures = Pictures(self._task.scene, domain, "tiny", cameras=nominal_cameras, keywords=keywords)
        super().__init__(
            self._task,
            keywords,
            pictures=pictures,
            randomization=drawn_from,
            action_names=self._task.action_names,
            action_scale=self._task.action_scale,
            proprio_size=len(self._task.proprio(self._world)),
        )

    def _check_domain(self, domain: str) -> None:
        if domain in ("heldout", "heldout_hard"):
            raise EnvError(
                f"{self._task.env_id} has no domain {domain!r}, since control tasks have no second engine: "
                f"use one of {', '.join(self.domains)}"
            )
        check_choice("domain", domain, self.domains)

    def _check_format(self, obs_format: str) -> None:
        if obs_format == "goal" and not isinstance(self._task, GoalTask):
            raise EnvError(
                f"{self._task.env_id} has no goal-conditioned form, since its goal is always the same: "
                "use obs_format nested, flat or state"
            )

    def _start(self, episode_seed: int, options: Mapping[str, Any] | None) -> None:
        self._layout = layout = self._task.draw_layout(stream(episode_seed, "layout"))
        draw = self._draw_episode(options, episode_seed)
        if not (options or {}).get("record"):
            draw = replace(draw, look=self._worn(draw.look))
        self._drawn, self._timing = draw, Timing(draw)
        self._pictures.begin(draw.look, Sensor(draw, episode_seed))
        self._action = np.zeros(len(self._task.action_names))
        self._world.reset({name: draw.number(name, nominal) for name, nominal in self._nominal.items()})
        self._task.place(self._world, layout)
        self._task.place_solved(self._world, layout)
        self._goal_state = self._world.visual_state()
        self._task.place(self._world, layout)

    def _advance(self, action: Float[np.ndarray, " A"]) -> None:
        for part in self._timing.parts(action):
            self._action = self._action if part.action is None else part.action
            self._world.step(lambda: self._task.actuate(self._world, self._action), part.num_substeps)

    def _worn(self, look: Look) -> Look:
        tint = look.surfaces["robot"]
        white = Surface(rgb=(min(1.0, tint.rgb[0]), min(1.0, tint.rgb[1]), min(1.0, tint.rgb[2])))
        look = replace(look, surfaces={**look.surfaces, "robot": white})  # worn as a colour, not as a factor
        if not self._task.upright:
            return look
        x, y, z = look.light.direction
        return replace(look, light=replace(look.light, direction=(x, -z, abs(y))))

    @property
    def _env_id(self) -> str:
        return self._task.env_id

    @property
    def _num_solved_draws(self) -> int:
        return int(self._layout.get("num_solved_draws", 0))

    def _script(self, kind: ScriptKind, generator: np.random.Generator, seed: int) -> Script:
        count = len(self._task.action_names)
        return Script(Play(count, generator) if kind == "play" else self._solving, num_disturbed=count)

    def _solving(self) -> Float[np.ndarray, " A"]:
        """Return what the task's expert does in the present state."""
        state = self._task.environment_state(self._world).tolist()
        action = self._task.expert(dict(zip(self.environment_state_names, state, strict=True)))
        return np.clip(action, -1.0, 1.0)

    def _visual_state(self) -> Float[np.ndarray, " X"]:
        return self._world.visual_state()

    def _solved_state(self) -> Float[np.ndarray, " X"]:
        return self._goal_state

    def _proprio(self) -> Float32[np.ndarray, " S"]:
        return self._task.proprio(self._world).astype(np.float32)

    def _environment_state(self) -> Float32[np.ndarray, " E"]:
        return self._task.environment_state(self._world).astype(np.float32)

    def _goals(self) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
        if not isinstance(self._task, GoalTask):
            return NO_GOAL, NO_GOAL
        return self._task.achieved_goal(self._world), self._task.desired_goal(self._world)

    def _goal_distance(self, achieved: Float[np.ndarray, "*N 3"], desired: Float[np.ndarray, "*N 3"]) -> Any:
        return GoalTask.distance(achieved, desired)

    def _error(self) -> float:
        return self._task.error(self._world)

    def _reward_now(self, error: float) -> float:
        if self._keywords.reward_type == "dense":
            return self._task.dense_reward(self._world)
        return super()._reward_now(error)

    def _close_world(self) -> None:
        self._world.close()
