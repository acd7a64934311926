"""What every kind of task says about itself."""

from typing import Protocol

from robossl_envs.tasks.task import Success


class Described(Protocol):
    """What every kind of task says about itself."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return the task in words."""

    @property
    def success(self) -> Success:
        """Return when an episode counts as solved."""

    @property
    def environment_state_names(self) -> tuple[str, ...]:
        """Return the name of each number of the truth."""
