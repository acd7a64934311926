"""The one camera model that every renderer draws."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole camera that looks from `position_m` to `target_m`, fixed to the world or to a link of the robot."""

    name: str
    position_m: tuple[float, float, float]
    target_m: tuple[float, float, float]
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    fov_y_rad: float = 0.8
    near_m: float = 0.02
    far_m: float = 4.0
    roll_rad: float = 0.0
    """Turn about the line of sight, clockwise as the camera sees it."""
    mounted_on: str | None = None
    """Link whose frame `position_m`, `target_m` and `up` are given in; None: the world."""

    def view_matrix(self) -> Float[np.ndarray, "4 4"]:
        """Return world (or link) to camera coordinates, OpenGL convention: x right, y up, z backwards."""
        eye, target = np.array(self.position_m, dtype=float), np.array(self.target_m, dtype=float)
        back = eye - target
        back /= np.linalg.norm(back)
        right = _cross(np.array(self.up, dtype=float), back)
        right /= np.linalg.norm(right)
        above = _cross(back, right)
        if self.roll_rad:
            cosine, sine = np.cos(self.roll_rad), np.sin(self.roll_rad)
            right, above = cosine * right - sine * above, sine * right + cosine * above
        rotation = np.stack([right, above, back])
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = -rotation @ eye
        return matrix

    def projection_matrix(self, *, aspect: float) -> Float[np.ndarray, "4 4"]:
        """Return the OpenGL projection for width / height = `aspect`."""
        focal = 1.0 / np.tan(self.fov_y_rad / 2)
        near, far = self.near_m, self.far_m
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = focal / aspect, focal
        matrix[2, 2], matrix[2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
        matrix[3, 2] = -1.0
        return matrix


def _cross(first: Float[np.ndarray, "3"], second: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """Return the cross product; NumPy's own takes longer than all the rest of a camera."""
    (x, y, z), (u, v, w) = first, second
    return np.array([y * w - z * v, z * u - x * w, x * v - y * u])
