"""What an env is made from, in any process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym

from robossl.errors import ConfigError, closest

ENVS_PACKAGE = "robossl_envs"


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """What `gym.make` needs, as plain values that any process can use."""

    env_id: str
    """`robossl/PandaReach-v0`; an id of another package is written `package:namespace/Name-v0`."""
    domain: str = "nominal"
    cameras: tuple[str, ...] = ("front",)
    image_size: int = 64
    """Height and width [px]."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keywords of the env."""

    def make(self) -> gym.Env:
        """Return a new env.

        Raises:
            ConfigError: no such id, domain, camera or option.
        """
        env_id = self.env_id if ":" in self.env_id else f"{ENVS_PACKAGE}:{self.env_id}"
        values = {"domain": self.domain, "cameras": self.cameras, "image_size": self.image_size, **self.options}
        try:
            return gym.make(env_id, **values)
        except (gym.error.Error, ImportError, TypeError, ValueError) as error:
            if isinstance(error, TypeError) and "keyword argument" not in str(error):
                raise  # a fault of the env, not one that takes no cameras or no domain
            reason = one_line(error).rstrip(".") + self._hint(error)
            raise ConfigError(f"can't make env {self.env_id!r}: {reason}") from error

    def _hint(self, error: BaseException) -> str:
        """Return the id that was meant where only its namespace is missing."""
        if "/" in self.env_id or not isinstance(error, gym.error.UnregisteredEnv):
            return ""
        return closest(f"robossl/{self.env_id}", [name for name in gym.registry if name.startswith("robossl/")])


def one_line(error: BaseException) -> str:
    """Return the text of an error without its line breaks."""
    return " ".join(str(error).split()) or type(error).__name__
