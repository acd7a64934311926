"""Meshes in the memory of the graphics card, drawn all at once for all views that see them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Int

from robossl_envs.rendering.gl_packing import PLAIN_FLOATS, SHADOW_FLOATS
from robossl_envs.rendering.gl_shaders import sources
from robossl_envs.rendering.gl_shapes import Shape


class GlMeshes:
    """The robot's shapes, then those of bodies, each kind with a program of its own and one indirect draw."""

    def __init__(self, context: Any, *, robot: Sequence[Shape], bodies: Sequence[Shape]) -> None:
        """Upload them into the current context; at least one of each."""
        self._context = context
        self._kinds = [_Kind(context, robot, robot=True), _Kind(context, bodies, robot=False)]
        self._commands = np.concatenate([kind.commands for kind in self._kinds])
        self._instances = context.buffer(reserve=4 * SHADOW_FLOATS * len(self._commands), dynamic=True)
        self._indirect = context.buffer(reserve=self._commands.nbytes, dynamic=True)

    def draw(self, rows: Float32[np.ndarray, "I K"], counts: Int[np.ndarray, " M"]) -> None:
        """Draw into the canvas in use what `Packing` says; rows with the sun's matrix get shadows."""
        if not len(rows):
            return
        self._commands[:, 1], self._commands[:, 4] = counts, np.cumsum(counts) - counts
        if rows.nbytes > self._instances.size:
            self._instances.orphan(rows.nbytes)
        self._instances.write(rows)
        self._indirect.write(self._commands)
        first = 0
        for kind in self._kinds:
            array = kind.array(self._instances, shadow=rows.shape[1] > PLAIN_FLOATS)
            array.render_indirect(self._indirect, count=len(kind.commands), first=first)
            first += len(kind.commands)

    def release(self) -> None:
        """Give the memory back."""
        for held in (*self._kinds, self._instances, self._indirect):
            held.release()


class _Kind:
    """Shapes that are drawn by one program."""

    def __init__(self, context: Any, shapes: Sequence[Shape], *, robot: bool) -> None:
        self._context, self._robot = context, robot
        self.commands = _commands(shapes)
        vertices = np.concatenate([shape.vertices for shape in shapes]).astype("f4")
        triangles = np.concatenate([shape.triangles for shape in shapes]).astype("i4")
        self._content = (
            ("3f 3f 3f", "vertex", "normal", "own_rgb") if robot else ("3f 3f 2f", "vertex", "normal", "place")
        )
        self._vertices, self._triangles = context.buffer(vertices.tobytes()), context.buffer(triangles.tobytes())
        self._arrays: dict[bool, Any] = {}

    def array(self, instances: Any, *, shadow: bool) -> Any:
        """Return the vertex array with its program; the one with shadows is compiled where it is first needed."""
        if shadow not in self._arrays:
            program = self._context.program(**sources(robot=self._robot, shadow=shadow))
            names = ["to_clip", "light", "up", "tint", "diffuse", "specular", *(["to_sun", "shade"] if shadow else [])]
            layout = "16f 4f 4f 4f 4f 4f 12f 1f/i" if shadow else "16f 4f 4f 4f 4f 4f/i"
            content = [(self._vertices, *self._content), (instances, layout, *names)]
            self._arrays[shadow] = self._context.vertex_array(program, content, index_buffer=self._triangles)
        return self._arrays[shadow]

    def release(self) -> None:
        for array in self._arrays.values():
            array.program.release()
            array.release()
        for held in (self._vertices, self._triangles):
            held.release()


def _commands(shapes: Sequence[Shape]) -> np.ndarray:
    """Return OpenGL's indirect commands: number of indices, of instances, first index, first vertex, first instance."""
    commands = np.zeros((len(shapes), 5), dtype=np.uint32)
    commands[:, 0] = [shape.triangles.size for shape in shapes]
    commands[:, 2] = np.cumsum(commands[:, 0]) - commands[:, 0]
    sizes = np.array([len(shape.vertices) for shape in shapes])
    commands[:, 3] = np.cumsum(sizes) - sizes
    return commands
