"""What the domains draw for an episode: surfaces, light, cameras, dynamics, sensors and timing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from jaxtyping import Float

from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.errors import unknown
from robossl_envs.heldout import heldout_dynamics, heldout_look
from robossl_envs.heldout_hard import hard_delay_s, hard_dynamics, hard_look
from robossl_envs.randomization.axis import Axis, draw_number
from robossl_envs.randomization.draw import Draw, Value
from robossl_envs.randomization.looks import Looks
from robossl_envs.randomization.scenery import draw_size, extra_bodies, places_m
from robossl_envs.randomization.schedules import draw_schedule
from robossl_envs.randomization.setting import Asked, Setting, read_setting
from robossl_envs.randomization.table import ARM_AXES, PHYSICS
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Look
from robossl_envs.simulation.scene import BodySpec, Dynamics
from robossl_envs.streams import stream

_DYNAMICS = ("mass", "friction", "motor_gain")


class Randomization:
    """Draws the episodes of a domain for the bodies and cameras of one env.

    Args:
        domain: See `Domain`.
        bodies: Of the task.
        cameras: Nominal ones.
        asked: The env's keyword `randomization`.
        axes: The table.

    Raises:
        EnvError: The domain or what is asked for is not allowed.
    """

    def __init__(
        self,
        domain: Domain,
        *,
        bodies: tuple[BodySpec, ...],
        cameras: Mapping[str, Camera],
        asked: Asked = None,
        axes: Sequence[Axis] = ARM_AXES,
    ) -> None:
        if domain not in get_args(Domain):
            raise unknown("domain", domain, get_args(Domain))
        self.domain = domain
        self.asked = asked
        self.axes = {axis.name: axis for axis in axes}
        self.setting = read_setting(domain, asked, axes)
        self._bodies, self._cameras = bodies, dict(cameras)
        self._looks = Looks(bodies, cameras)
        self.extras = extra_bodies(bodies, self.setting.bounds)
        """What has to be loaded beside the bodies."""
        self._has_dynamics = "mass" in self.axes

    def draw(
        self,
        episode_seed: int,
        *,
        num_steps: int,
        axes: Mapping[str, Any] | None = None,
        taken_m: Callable[[], Float[np.ndarray, "N 3"]] = lambda: np.zeros((0, 3)),
    ) -> Draw:
        """Draw everything for an episode.

        Args:
            episode_seed: Of the episode.
            num_steps: Its control steps.
            axes: Changes the setting for this episode alone.
            taken_m: Returns x, y and radius of what distractors keep away from.
        """
        setting = self.setting if axes is None else self.setting.with_axes(axes, tuple(self.axes.values()))
        return Draw(
            look=self._look(setting, episode_seed, "look"),
            dynamics=self._dynamics(setting, episode_seed) if self._has_dynamics else None,
            values=self._values(setting, episode_seed, num_steps, taken_m),
        )

    def growing(self) -> dict[str, tuple[float, float, float]]:
        """Return nominal, least and largest value of the axes that can grow from nominal to what is asked for."""
        rows = [(self.axes[name], *bounds) for name, bounds in self.setting.bounds.items()]
        return {
            axis.name: (axis.nominal, low, high)
            for axis, low, high in rows
            if axis.nominal is not None and low <= axis.nominal <= high and axis.sampler not in ("pool", "coin")
        }

    def look(self, episode_seed: int, *, name: str = "look") -> Look:
        """Draw the look of an episode; another `name` gives another draw for the same episode."""
        return self._look(self.setting, episode_seed, name)

    def dynamics(self, episode_seed: int) -> Dynamics:
        """Draw the dynamics of an episode."""
        return self._dynamics(self.setting, episode_seed)

    def from_record(self, variations: Mapping[str, Any]) -> Draw:
        """Return what an episode's record says was drawn.

        Raises:
            KeyError: A value is missing.
        """
        return Draw(
            look=Look.from_record(variations, self._cameras),
            dynamics=Dynamics.from_record(variations) if self._has_dynamics else None,
            values={
                name: value
                for name, value in variations.items()
                if name in self.axes or name.split(".", 1)[0] in self.axes  # `lost_frames.steps` belongs to one too
            },
        )

    def _look(self, setting: Setting, episode_seed: int, name: str) -> Look:
        if self.domain in HELDOUT:
            offset = 0 if name == "look" else 1 + int(stream(episode_seed, name).integers(8))
            frozen = heldout_look if self.domain == "heldout" else hard_look
            return frozen(episode_seed + offset, self._cameras, self._bodies)
        return self._looks.draw(setting, episode_seed, name=name)

    def _dynamics(self, setting: Setting, episode_seed: int) -> Dynamics:
        """Draw masses, frictions and gain from one stream; what is asked for beyond the preset has its own."""
        if self.domain in HELDOUT:
            frozen = heldout_dynamics if self.domain == "heldout" else hard_dynamics
            return frozen(episode_seed, self._bodies)
        movable = [body for body in self._bodies if body.mass_kg > 0]
        counts = dict(zip(_DYNAMICS, (len(movable), len(movable), 1), strict=True))
        drawn: dict[str, list[float]] = {}
        together = stream(episode_seed, "dynamics")
        for axis in PHYSICS:
            if axis.name not in counts:
                continue
            preset = [draw_number(axis, axis.bounds(setting.preset), together) for _ in range(counts[axis.name])]
            if axis.name in setting.own:
                own = stream(episode_seed, f"axis.{axis.name}")
                preset = [draw_number(axis, setting.bounds[axis.name], own) for _ in preset]
            if axis.name in setting.bounds:
                drawn[axis.name] = preset
        names = [body.name for body in movable]
        masses = zip(movable, drawn.get("mass", []), strict=False)
        frictions = dict(zip(names, drawn.get("friction", []), strict=False))
        return Dynamics(
            masses_kg={body.name: body.mass_kg * factor for body, factor in masses},
            frictions=frictions | {body.name: body.friction for body in movable if body.slippery},
            motor_gain=drawn.get("motor_gain", [1.0])[0],
        )

    def _values(
        self,
        setting: Setting,
        episode_seed: int,
        num_steps: int,
        taken_m: Callable[[], Float[np.ndarray, "N 3"]],
    ) -> dict[str, Value]:
        """Draw the axes that are neither look nor dynamics, each from a stream of its own."""
        values: dict[str, Value] = {}
        if self.domain == "heldout_hard":
            values["action_delay"] = hard_delay_s(episode_seed)
        for name, axis in self.axes.items():
            if name in setting.bounds and axis.group != "look" and name not in _DYNAMICS:
                generator = stream(episode_seed, axis.stream or f"axis.{name}")
                values |= _draw_value(axis, setting, generator, num_steps)
                if name == "distractors":
                    count = round(float(np.sum(values[name])))
                    values["distractors.places_m"] = places_m(generator, count, taken_m())
            elif axis.stream and axis.nominal is not None:  # physics of a control task are told at all times
                values[name] = axis.nominal
        return values


def _draw_value(axis: Axis, setting: Setting, generator: np.random.Generator, num_steps: int) -> dict[str, Value]:
    bounds = setting.bounds[axis.name]
    if axis.sampler == "pool":
        return {axis.name: draw_size(bounds, generator)}
    if axis.sampler == "colour":
        return {axis.name: generator.uniform(*bounds, size=2).tolist()}
    value = draw_number(axis, bounds, generator)
    return {axis.name: value} | draw_schedule(axis.name, value, generator, num_steps)
