"""Meshes in the memory of the graphics card, drawn all at once for all views that see them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl_envs.rendering.gl_packing import PLAIN_FLOATS, Views, all_pairs, in_sight, instances
from robossl_envs.rendering.gl_shaders import sources
from robossl_envs.rendering.gl_shapes import Shape

SAMPLERS = ("textures", "sun_depths")
"""What the shaders read from, in the order of the texture units."""


class GlMeshes:
    """Some shapes with one program; one indirect draw shows each of them in every view that has it in sight."""

    def __init__(
        self,
        context: Any,
        shapes: Sequence[Shape],
        *,
        parts: Sequence[int],
        robot: bool,
        scales: Sequence[tuple[float, float, float]] | None = None,
    ) -> None:
        """Upload them into the current context.

        Args:
            context: moderngl's.
            shapes: at least one.
            parts: number of each shape in the masks.
            robot: which of the two programs.
            scales: what each shape is stretched by; by default nothing.
        """
        self._context = context
        self._parts = np.array(parts)
        self._scales = np.ones((len(shapes), 3)) if scales is None else np.array(scales, dtype=float)
        self._centres = np.stack([shape.centre for shape in shapes]) * self._scales
        self._radii = np.linalg.norm(np.stack([shape.half_extents for shape in shapes]) * self._scales, axis=1)
        self._commands = _commands(shapes)
        vertices = np.concatenate([shape.vertices for shape in shapes]).astype("f4")
        triangles = np.concatenate([shape.triangles for shape in shapes]).astype("i4")
        own = ("3f 3f 3f", "vertex", "normal", "own_rgb") if robot else ("3f 3f 2f", "vertex", "normal", "place")
        self._robot, self._content = robot, own
        self._vertices, self._triangles = context.buffer(vertices.tobytes()), context.buffer(triangles.tobytes())
        self._instances = context.buffer(reserve=4 * PLAIN_FLOATS * len(shapes), dynamic=True)
        self._indirect = context.buffer(reserve=self._commands.nbytes, dynamic=True)
        self._arrays: dict[bool, Any] = {}

    def _array(self, *, shadow: bool) -> Any:
        """Return the vertex array with its program; the one with shadows is compiled where it is first needed."""
        if shadow not in self._arrays:
            program = self._context.program(**sources(robot=self._robot, shadow=shadow))
            names = ["to_clip", "light", "up", "tint", "diffuse", "specular", *(["to_sun", "shade"] if shadow else [])]
            layout = "16f 4f 4f 4f 4f 4f 12f 1f/i" if shadow else "16f 4f 4f 4f 4f 4f/i"
            content = [(self._vertices, *self._content), (self._instances, layout, *names)]
            self._arrays[shadow] = self._context.vertex_array(program, content, index_buffer=self._triangles)
            for unit, sampler in enumerate(SAMPLERS):
                if sampler in program:
                    program[sampler] = unit
        return self._arrays[shadow]

    def draw(self, views: Views, poses: Float[np.ndarray, "V M 4 4"], *, everything: bool = False) -> None:
        """Draw into the canvas in use; `poses` are mesh to world coordinates.

        Args:
            views: V of them.
            poses: of all shapes in all views.
            everything: also what is out of sight, as a parallel projection needs it.
        """
        seen = all_pairs(*poses.shape[:2]) if everything else in_sight(views, poses, self._centres, self._radii)
        rows = instances(views, poses, self._scales, seen, self._parts)
        if not len(rows):
            return
        counts = np.bincount(seen[0], minlength=len(self._parts))
        self._commands[:, 1], self._commands[:, 4] = counts, np.cumsum(counts) - counts
        if rows.nbytes > self._instances.size:
            self._instances.orphan(rows.nbytes)
        self._instances.write(rows)
        self._indirect.write(self._commands)
        array = self._array(shadow=views.sun_to_camera is not None)
        array.program["num_tiles"] = float(len(poses))
        array.render_indirect(self._indirect, count=len(self._commands))

    def release(self) -> None:
        """Give the memory back."""
        for array in self._arrays.values():
            array.program.release()
            array.release()
        for held in (self._vertices, self._triangles, self._instances, self._indirect):
            held.release()


def _commands(shapes: Sequence[Shape]) -> np.ndarray:
    """Return OpenGL's indirect commands: number of indices, of instances, first index, first vertex, first instance."""
    commands = np.zeros((len(shapes), 5), dtype=np.uint32)
    commands[:, 0] = [shape.triangles.size for shape in shapes]
    commands[:, 2] = np.cumsum(commands[:, 0]) - commands[:, 0]
    sizes = np.array([len(shape.vertices) for shape in shapes])
    commands[:, 3] = np.cumsum(sizes) - sizes
    return commands
