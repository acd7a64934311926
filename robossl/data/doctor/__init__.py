"""What is wrong with a video, a folder of videos or a data set, in words."""

from robossl.data.doctor.examine import Examination, examine
from robossl.data.doctor.findings import FAULTS, NOTES, Finding

__all__ = ["FAULTS", "NOTES", "Examination", "Finding", "examine"]
