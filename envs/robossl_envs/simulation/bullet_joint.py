"""What moves of an articulated body, in PyBullet: one link on a frame that stands still."""

from typing import Any

import numpy as np

from robossl_envs.quiet_pybullet import pybullet as p
from robossl_envs.simulation.scene import ArticulatedSpec
from robossl_envs.simulation.simulation import Pose

_LINK = 0
_UPRIGHT = (0.0, 0.0, 0.0, 1.0)


class BulletJoint:
    """The moving parts; the fixed ones are bodies like any other."""

    def __init__(self, spec: ArticulatedSpec, client: int) -> None:
        self.spec = spec
        self.base: Pose = (np.array(spec.position_m), np.array(_UPRIGHT))
        self._client = client
        self._body = self._load()
        low, high = spec.limits
        self._change(lateralFriction=spec.moving[0].friction, linearDamping=0.0, angularDamping=0.0)
        self._change(jointLowerLimit=low, jointUpperLimit=high, jointLimitForce=1000.0, jointDamping=spec.damping)
        self._hold()

    def _change(self, **values: float) -> None:
        p.changeDynamics(self._body, _LINK, physicsClientId=self._client, **values)

    def _load(self) -> int:
        spec, client = self.spec, self._client
        kinds = {"box": p.GEOM_BOX, "sphere": p.GEOM_SPHERE, "cylinder": p.GEOM_CYLINDER}
        shape = p.createCollisionShapeArray(
            shapeTypes=[kinds[part.shape] for part in spec.moving],
            halfExtents=[part.size_m for part in spec.moving],
            radii=[part.size_m[0] for part in spec.moving],
            lengths=[2 * part.size_m[1] for part in spec.moving],
            collisionFramePositions=[np.subtract(part.position_m, spec.anchor_m).tolist() for part in spec.moving],
            collisionFrameOrientations=[part.quaternion for part in spec.moving],
            physicsClientId=client,
        )
        link: dict[str, Any] = {
            "linkMasses": [spec.mass_kg],
            "linkCollisionShapeIndices": [shape],
            "linkVisualShapeIndices": [-1],
            "linkPositions": [spec.anchor_m],
            "linkOrientations": [_UPRIGHT],
            "linkInertialFramePositions": [np.subtract(self._middle(), spec.anchor_m).tolist()],
            "linkInertialFrameOrientations": [_UPRIGHT],
            "linkParentIndices": [0],
            "linkJointTypes": [p.JOINT_PRISMATIC if spec.joint == "slide" else p.JOINT_REVOLUTE],
            "linkJointAxis": [spec.axis],
        }
        number: int = p.createMultiBody(0.0, -1, -1, spec.position_m, _UPRIGHT, physicsClientId=client, **link)
        return number

    def _middle(self) -> np.ndarray:
        return np.mean([part.position_m for part in self.spec.moving], axis=0)

    def _hold(self) -> None:
        """Brake the joint, or pull it back to 0, with the force that the specification says."""
        if self.spec.spring > 0:
            motor: dict[str, Any] = {"targetPosition": 0.0, "force": self.spec.spring, "positionGain": 0.1}
            kind = p.POSITION_CONTROL
        else:
            motor, kind = {"targetVelocity": 0.0, "force": self.spec.friction}, p.VELOCITY_CONTROL
        p.setJointMotorControl2(self._body, _LINK, kind, physicsClientId=self._client, **motor)

    def set_damping(self, damping: float) -> None:
        """Give the joint another damping [N s/m or N m s]."""
        self._change(jointDamping=damping)

    @property
    def position(self) -> float:
        """Joint position [m or rad]."""
        return float(p.getJointState(self._body, _LINK, physicsClientId=self._client)[0])

    def set_position(self, position: float) -> None:
        """Put the joint there, at rest."""
        p.resetJointState(self._body, _LINK, position, 0.0, physicsClientId=self._client)

    def place(self, base: Pose) -> None:
        """Put the frame there."""
        self.base = base
        p.resetBasePositionAndOrientation(self._body, *base, physicsClientId=self._client)
