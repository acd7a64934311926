"""LeRobotDataset on disk, written and read without the lerobot package."""

from robossl.data.lerobot.background import written_behind
from robossl.data.lerobot.reader import LeRobotDirectory, LeRobotV3
from robossl.data.lerobot.v21 import LeRobotV21, open_directory
from robossl.data.lerobot.writer import EpisodeWriter, refuse_foreign

__all__ = [
    "EpisodeWriter",
    "LeRobotDirectory",
    "LeRobotV3",
    "LeRobotV21",
    "open_directory",
    "refuse_foreign",
    "written_behind",
]
