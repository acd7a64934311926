"""The engines, and which one runs which domain."""

from typing import Literal

from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.simulation.simulation import Simulation

EngineName = Literal["auto", "bullet", "mujoco"]


def build_simulation(domain: Domain, engine: EngineName = "auto") -> Simulation:
    """Return the engine; `auto`: MuJoCo for the held-out domains, PyBullet for the rest. Only that one is imported."""
    if engine == "mujoco" or (engine == "auto" and domain in HELDOUT):
        from robossl_envs.simulation.mujoco import MujocoSimulation

        return MujocoSimulation()
    from robossl_envs.simulation.bullet import BulletSimulation

    return BulletSimulation()
