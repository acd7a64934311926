"""Which arms and which tasks there are; each is loaded only when an env is made with it."""

from importlib import import_module
from typing import TYPE_CHECKING

from robossl_envs.errors import unknown

if TYPE_CHECKING:
    from robossl_envs.simulation.scene import RobotSpec
    from robossl_envs.tasks.task import Task

ROBOTS = {"panda": "Panda", "xarm": "XArm"}
"""File in `robots/`, whose function of the same name returns the arm, to what ids call it."""
TASKS = {
    "reach": "Reach",
    "push": "Push",
    "slide": "Slide",
    "lift": "Lift",
    "pick_and_place": "PickAndPlace",
    "stack": "Stack",
    "button_press": "ButtonPress",
    "drawer_opening": "DrawerOpening",
    "door_opening": "DoorOpening",
    "sort_by_colour": "SortByColour",
    "sweep": "Sweep",
    "detour": "Detour",
    "peg_insertion": "PegInsertion",
}
"""File in `tasks/` to the task's class in it, which is also what ids call it."""
BENCHMARK = ("push", "pick_and_place", "stack", "drawer_opening", "button_press", "sort_by_colour")
"""The tasks of the benchmark."""
ARM_IDS = {f"robossl/{ROBOTS[robot]}{TASKS[task]}-v0": (robot, task) for robot in ROBOTS for task in TASKS}


def load_robot(name: str) -> "RobotSpec":
    """Return an arm.

    Raises:
        EnvError: there is none of this name.
    """
    if name not in ROBOTS:
        raise unknown("robot", name, ROBOTS)
    spec: RobotSpec = getattr(import_module(f"robossl_envs.robots.{name}"), name)()
    return spec


def load_task(name: str) -> "Task":
    """Return a task.

    Raises:
        EnvError: there is none of this name.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    task: Task = getattr(import_module(f"robossl_envs.tasks.{name}"), TASKS[name])()
    return task
