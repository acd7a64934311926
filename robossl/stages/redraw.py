"""The env that draws recorded episodes again, on the fastest renderer that this machine has."""

import logging
import re
from pathlib import Path

import gymnasium as gym

from robossl.config.env import HELDOUT
from robossl.data.lerobot.layout import VISUAL_STATE
from robossl.data.sources import EpisodeSource, LeRobotSource
from robossl.errors import ConfigError, DataError
from robossl.rollout import EnvSpec

BATCHED = "gl"
"""The renderer that draws many views at once."""
LOOK = re.compile(r"_look\d+$")
"""What the name of a camera ends with whose frames are drawn again under another look."""
logger = logging.getLogger(__name__)


def open_drawing(
    source: EpisodeSource,
    *,
    domain: str,
    image_size: tuple[int, int],
    where: Path,
    cameras: tuple[str, ...] = ("front",),
    renderer: str = "auto",
) -> gym.Env:
    """Return an env of the kind that recorded a source, to draw its visual states with.

    Args:
        source: recorded by `robossl collect`, in one env.
        domain: whose looks are drawn; no held-out one.
        image_size: height and width [px].
        where: the data set, for messages.
        cameras: that are drawn.
        renderer: of the env; `auto`: the batched one, or where it does not start the env's own, which one line says.

    Raises:
        DataError: the episodes can't be drawn again.
        ConfigError: no such domain, camera or renderer, or a held-out domain.
    """
    if domain.startswith(HELDOUT):
        raise ConfigError(f"domain is {domain!r}, which is only measured in: draw again in another one")
    spec = EnvSpec(env_id=_env_id(source, where), domain=domain, cameras=cameras)
    height, width = image_size  # envs of other packages may know squares only
    size: dict[str, object] = {"image_size": height if height == width else image_size, **_asked(source, domain, where)}
    if renderer != "auto":
        return _started(spec, size | {"renderer": renderer})
    try:
        return _started(spec, size | {"renderer": BATCHED})
    except (ConfigError, ValueError) as error:
        env = _started(spec, size)
        logger.warning("drawing one picture at a time, which is slower: %s", " ".join(str(error).split()))
        return env


def open_recorded(source: EpisodeSource, *, camera: str, where: Path) -> gym.Env:
    """Return an env just like the one that recorded a source, which takes the episodes' records.

    Args:
        source: recorded by `robossl collect`, in one env, one domain and by one renderer.
        camera: of the env; no second look, whose camera is not recorded.
        where: the data set, for messages.

    Raises:
        DataError: there is no such env.
    """
    env_id = _env_id(source, where)
    recorded = [source.episode_metadata(episode) for episode in range(len(source.lengths))]
    kinds = {(str(one.get("domain", "")), str(one.get("renderer", "")).split("-")[0]) for one in recorded}
    if len(kinds) > 1:
        raise DataError(f"{where} holds episodes of several domains or renderers: take the data set of each by itself")
    if not isinstance(source, LeRobotSource) or LOOK.search(camera):
        raise DataError(f"camera {camera!r} of {where} shows a second look, which is not recorded: take the first one")
    ((domain, renderer),) = kinds
    options = {"image_size": source.frame_size(camera), "renderer": renderer, **_asked(source, domain, where)}
    return EnvSpec(env_id=env_id, domain=domain, cameras=(camera,), options=options).make()


def _started(spec: EnvSpec, options: dict[str, object]) -> gym.Env:
    """Return the env after its first picture: OpenGL says only then whether it works."""
    env = EnvSpec(env_id=spec.env_id, domain=spec.domain, cameras=spec.cameras, options=options).make()
    env.reset(seed=0)
    return env


def _asked(source: EpisodeSource, domain: str, where: Path) -> dict[str, object]:
    """Return the keyword `randomization` that the episodes were recorded with: what was loaded for it is in the states.

    Raises:
        DataError: there are several of them.
        ConfigError: another domain can't load the same.
    """
    all_metadata = [source.episode_metadata(episode) for episode in range(len(source.lengths))]
    asked = [metadata.get("randomization") for metadata in all_metadata]
    if any(one != asked[0] for one in asked):
        raise DataError(f"{where} holds episodes of several randomizations: draw the data set of each by itself")
    recorded = {str(metadata.get("domain", "")) for metadata in all_metadata}
    if asked and asked[0] is not None and recorded != {domain}:
        raise ConfigError(
            f"domain is {domain!r}, but {where} was collected in {', '.join(sorted(recorded))} with randomization "
            f"{asked[0]!r}, and holds what that loads: draw again in the same domain"
        )
    return {"randomization": asked[0]} if asked and asked[0] is not None else {}


def _env_id(source: EpisodeSource, where: Path) -> str:
    ids = {str(source.episode_metadata(episode).get("env_id", "")) for episode in range(len(source.lengths))}
    if VISUAL_STATE not in source.features or "" in ids:
        raise DataError(f"{where} can't be drawn again: only episodes of robossl collect hold what that takes")
    if len(ids) > 1:
        raise DataError(f"{where} holds episodes of {', '.join(sorted(ids))}: draw the data set of each env by itself")
    return ids.pop()
