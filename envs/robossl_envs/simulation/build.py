"""Which engine runs which domain."""

from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.simulation.simulation import Simulation


def build_simulation(domain: Domain) -> Simulation:
    """Return MuJoCo for the held-out domains, PyBullet for the rest; only the engine that is used is imported."""
    if domain in HELDOUT:
        from robossl_envs.simulation.mujoco import MujocoSimulation

        return MujocoSimulation()
    from robossl_envs.simulation.bullet import BulletSimulation

    return BulletSimulation()
