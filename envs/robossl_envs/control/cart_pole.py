"""Cart-pole swing-up: push a cart to and fro until its pole stands up, and keep it there."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from robossl_envs.control.task import ControlTask, Layout, State, mechanism
from robossl_envs.control.variations import MOTOR_STRENGTH, Variation
from robossl_envs.control.world import World
from robossl_envs.rendering.camera import Camera
from robossl_envs.simulation.scene import BodySpec, RobotSpec
from robossl_envs.tasks.task import Success

RAIL_HALF_M = 0.85
MAX_FORCE_N = 20.0
CART_KG, BOB_KG, LENGTH_M = 1.0, 0.2, 0.4
"""Nominal values; the expert knows no others."""
GRAVITY = 9.81
RED, BLUE = (0.85, 0.25, 0.15), (0.35, 0.25, 0.9)
POLE_HALF_M = 0.17
"""Half length of each of the pole's two tubes."""


class CartPoleSwingUp(ControlTask):
    """The pole hangs at first. It is longer or shorter by the episode: the bob sits at the end of a telescope."""

    env_id: ClassVar[str] = "robossl/CartPoleSwingUp-v0"
    sentences: ClassVar[tuple[str, ...]] = (
        "swing the pole up and balance it",
        "bring the pole upright and keep it there",
        "balance the red pole on the cart",
    )
    success: ClassVar[Success] = Success(tolerance_m=0.2, unit="rad", hold_steps=40, max_episode_steps=200)
    robot: ClassVar[RobotSpec] = mechanism(
        "cart_pole", joints=("slide", "hinge", "telescope"), home=(0.0, np.pi, LENGTH_M)
    )
    bodies: ClassVar[tuple[BodySpec, ...]] = (
        BodySpec(
            name="backdrop",
            shape="box",
            size_m=(4.0, 0.02, 4.0),
            position_m=(0.0, 0.5, 0.0),
            collides=False,
            rgb=(0.55, 0.58, 0.62),
        ),
        BodySpec(
            name="rail",
            wears="cart",
            shape="box",
            size_m=(RAIL_HALF_M + 0.13, 0.02, 0.03),
            position_m=(0.0, 0.08, 0.0),
            collides=False,
            rgb=BLUE,
        ),
        BodySpec(name="cart", shape="box", size_m=(0.13, 0.06, 0.08), collides=False, rgb=BLUE),
        *(
            BodySpec(
                name=name,
                wears="bob",
                shape="box",
                size_m=(half_m, half_m, POLE_HALF_M),
                position_m=(0.0, 0.0, height_m),
                collides=False,
                rgb=RED,
            )
            for name, half_m, height_m in (("pole", 0.032, POLE_HALF_M), ("tube", 0.024, -POLE_HALF_M))
        ),
        BodySpec(name="bob", shape="sphere", size_m=(0.085, 0.0, 0.0), collides=False, rgb=RED),
    )
    links: ClassVar[Mapping[str, str]] = {"cart": "cart", "pole": "pole", "tube": "bob", "bob": "bob"}
    upright: ClassVar[bool] = True
    cameras: ClassVar[tuple[Camera, ...]] = (
        Camera(name="front", position_m=(0.0, -2.3, 0.12), target_m=(0.0, 0.0, 0.0), fov_y_rad=0.95),
        Camera(name="side", position_m=(1.0, -2.1, 0.6), target_m=(0.0, 0.0, 0.0), fov_y_rad=0.95, far_m=8.0),
    )
    variations: ClassVar[tuple[Variation, ...]] = (
        MOTOR_STRENGTH,
        Variation(name="cart.mass_kg", nominal=CART_KG, randomized=(0.8, 1.25), shifted=(0.65, 0.8)),
        Variation(name="bob.mass_kg", nominal=BOB_KG, randomized=(0.15, 0.3), shifted=(0.3, 0.35)),
        Variation(name="pole.length_m", nominal=LENGTH_M, randomized=(0.36, 0.45), shifted=(0.33, 0.36)),
        Variation(name="slide.damping_n_s_per_m", nominal=0.1, randomized=(0.0, 0.5), shifted=(0.5, 0.8)),
        Variation(name="hinge.damping_n_m_s_per_rad", nominal=0.001, randomized=(0.0, 0.003), shifted=(0.003, 0.005)),
    )
    action_names: ClassVar[tuple[str, ...]] = ("force",)
    action_scale: ClassVar[Mapping[str, float]] = {"force_n": MAX_FORCE_N}
    environment_state_names: ClassVar[tuple[str, ...]] = (
        "cart.x", "cart.speed", "pole.cos", "pole.sin", "pole.speed",
    )  # fmt: skip

    def draw_layout(self, generator: np.random.Generator) -> Layout:
        """Draw the cart near the middle, and a pole that hangs, not quite still."""
        return {
            "cart_m": generator.uniform(-0.2, 0.2),
            "angle_rad": np.pi + generator.uniform(-0.3, 0.3),
            "speed_rad_s": generator.uniform(-0.5, 0.5),
        }

    def place(self, world: World, layout: Layout) -> None:
        """Set masses, length and damping; hang the pole."""
        physics = world.physics
        world.set_link_mass("cart", physics["cart.mass_kg"])
        world.set_link_mass("bob", physics["bob.mass_kg"])
        world.set_link("cart", jointDamping=physics["slide.damping_n_s_per_m"])
        world.set_link("pole", jointDamping=physics["hinge.damping_n_m_s_per_rad"])
        world.hold("telescope", physics["pole.length_m"])
        world.set_joint_state(
            (layout["cart_m"], layout["angle_rad"], physics["pole.length_m"]), (0.0, layout["speed_rad_s"], 0.0)
        )

    def place_solved(self, world: World, layout: Layout) -> None:
        """Stand the pole up in the middle of the rail."""
        world.set_joint_state((0.0, 0.0, world.physics["pole.length_m"]))

    def actuate(self, world: World, action: Float[np.ndarray, "1"]) -> None:
        """Push the cart with up to 20 N."""
        world.apply_torque("slide", MAX_FORCE_N * world.physics["motor.strength"] * float(action[0]))

    def proprio(self, world: World) -> Float[np.ndarray, "2"]:
        """Return the cart's position [m] and speed [m/s]; the pole is for the eyes."""
        (cart_m, _, _), (speed_m_s, _, _) = world.joint_state()
        return np.array([cart_m, speed_m_s])

    def environment_state(self, world: World) -> Float[np.ndarray, "5"]:
        """Return the cart's position and speed, cosine and sine of the pole's angle (0: upright), and its speed."""
        (cart_m, angle_rad, _), (cart_m_s, pole_rad_s, _) = world.joint_state()
        return np.array([cart_m, cart_m_s, np.cos(angle_rad), np.sin(angle_rad), pole_rad_s])

    def error(self, world: World) -> float:
        """Return the angle from upright [rad]."""
        angle_rad = world.joint_state()[0][1]
        return abs(float(np.arctan2(np.sin(angle_rad), np.cos(angle_rad))))

    def dense_reward(self, world: World) -> float:
        """Return -1 (hanging at the rail's end) to 0 (upright in its middle)."""
        cart_m, angle_rad, _ = world.joint_state()[0]
        return float(-0.45 * (1 - np.cos(angle_rad)) - 0.1 * min(1.0, (cart_m / RAIL_HALF_M) ** 2))

    def expert(self, state: State) -> Sequence[float]:
        """Pump energy into the swinging pole, balance near the top (Astrom and Furuta 2000, Swinging up a pendulum).

        One fades into the other with the angle. The force is what accelerates the nominal cart and pole as wished.
        Gains were searched for on some seeds below 100 of all domains.
        """
        near = float(np.clip((state["pole.cos"] - 0.71) / 0.1, 0.0, 1.0))
        wished_m_s2 = near * _balance(state) + (1 - near) * _pump(state)
        cos, sin = state["pole.cos"], state["pole.sin"]
        pole_n = BOB_KG * sin * (GRAVITY * cos - LENGTH_M * state["pole.speed"] ** 2)
        return [((CART_KG + BOB_KG * sin**2) * wished_m_s2 + pole_n) / MAX_FORCE_N]


def _pump(state: State) -> float:
    """Return the cart's acceleration [m/s^2] that brings the pole's energy to that of standing, and the cart back."""
    energy = 0.5 * state["pole.speed"] ** 2 - GRAVITY / LENGTH_M * (1 - state["pole.cos"]) - 0.8
    push = np.clip(0.3 * energy, -1.0, 1.0) * np.tanh(4 * state["pole.speed"] * state["pole.cos"])
    back = 0.5 * state["cart.x"] + 21 * state["cart.x"] ** 3  # strong near the rail's ends, where it would get stuck
    return float(14 * push - back - 4 * state["cart.speed"])


def _balance(state: State) -> float:
    """Return the acceleration [m/s^2] of a linear regulator of pole and cart."""
    angle_rad = np.arctan2(state["pole.sin"], state["pole.cos"])
    return float(6.5 * state["cart.x"] + 9.9 * state["cart.speed"] + 60 * angle_rad + 8.6 * state["pole.speed"])
