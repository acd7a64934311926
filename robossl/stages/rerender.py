"""`robossl rerender`: the same episodes under other looks, cameras and sizes, without simulating them again."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import UInt8

from robossl.config.rerender import RerenderConfig
from robossl.data.lerobot import EpisodeWriter, written_behind
from robossl.data.lerobot.layout import VISUAL_STATE
from robossl.data.rerendered import look_names, look_seed
from robossl.data.sources import LeRobotSource, open_source
from robossl.data.splits import refuse_heldout
from robossl.errors import ConfigError, DataError
from robossl.runs import Run
from robossl.stages.progress import tracked
from robossl.stages.redraw import LOOK, open_drawing

ORIGIN = "rerendered_from"
"""Where an episode's extras name the data set and the episode that it was drawn from."""


def rerender(config: RerenderConfig, *, run: Run) -> dict[str, Any]:
    """Draw the episodes that are still missing and return what was drawn.

    Raises:
        ConfigError: a value is not allowed.
        DataError: the data set can't be read, can't be drawn again, or was recorded in a held-out domain; or `output`
            holds episodes of another one.
    """
    source = _open(config)
    cameras = config.cameras or tuple(dict.fromkeys(LOOK.sub("", camera) for camera in source.cameras))
    _check(config, cameras)
    domain = config.domain or _domain(source, config)
    size = (config.image_size,) * 2 if config.image_size else source.frame_size(source.cameras[0])
    env = open_drawing(
        source, domain=domain, cameras=cameras, image_size=size, renderer=config.renderer, where=config.dataset
    )
    with closing(env):
        artist = _Artist(env, cameras=cameras, config=config)
        writer = EpisodeWriter(config.output, fps_hz=source.fps_hz, robot_type=source.robot_type)
        present = _present(writer, source, config)
        with run.time("rerender"):
            missing = range(present, len(source.lengths))
            writes = ((_draw(writer, source, episode, artist, domain=domain), episode) for episode in missing)
            with closing(written_behind(writes)) as written:
                for _ in tracked(written, description="rerender", total=len(source.lengths), completed=present):
                    pass  # what is to be done lies in `writes`
            writer.finalize()
    result = LeRobotSource(config.output)
    inputs = {"episodes": source.digest}
    run.tracker.log_artifact(
        "episodes", kind="dataset", path=config.output / "meta", inputs=inputs, digest=result.digest
    )
    return {
        "summary": f"{len(result.lengths)} episodes under {config.num_looks} looks, {artist.views_per_s:.0f} views/s",
        "dataset": str(config.output),
        "digest": result.digest,
        "num_episodes": len(result.lengths),
        "num_frames": int(result.lengths.sum()),
        "cameras": list(result.cameras),
        "domain": domain,
        "renderer": artist.renderer,
        "views_drawn": artist.num_views,
        "drawing_views_per_s": artist.views_per_s,
        "inputs": inputs,
    }


class _Artist:
    """Draws all looks of an episode, and keeps the time that it takes."""

    def __init__(self, env: Any, *, cameras: Sequence[str], config: RerenderConfig) -> None:
        self._drawing, self._cameras, self._config = env.unwrapped, cameras, config
        self.renderer = str(self._drawing.episode_record()["renderer"])
        self.num_views, self._seconds = 0, 0.0

    @property
    def views_per_s(self) -> float:
        """Return how many pictures a second of drawing gave."""
        return self.num_views / self._seconds if self._seconds else 0.0

    def draw(self, states: np.ndarray, episode_seed: int) -> tuple[dict[str, UInt8[np.ndarray, "L H W C"]], Any]:
        """Return the frames of all cameras and looks, and the first look."""
        start_s = time.perf_counter()
        num_looks, length = self._config.num_looks, len(states)
        segment = np.arange(length) // (self._config.look_every or length)  # [L] draw that a frame is seen under
        seed = look_seed(self._config.seed, episode_seed)
        draws = self._drawing.sample_looks((int(segment[-1]) + 1) * num_looks, seed=seed)
        looks = [
            draws[look + num_looks * (0 if look == 0 else int(part))] for look in range(num_looks) for part in segment
        ]
        frames: dict[str, np.ndarray] = {}
        for camera in self._cameras:
            drawn = self._drawing.render_states(np.tile(states, (num_looks, 1)), looks=looks, camera=camera)
            frames |= dict(zip(look_names(camera, num_looks), np.split(drawn, num_looks), strict=True))
        self.num_views += len(looks) * len(self._cameras)
        self._seconds += time.perf_counter() - start_s
        return frames, draws[0]


def _open(config: RerenderConfig) -> LeRobotSource:
    source = open_source(config.dataset)
    if not isinstance(source, LeRobotSource):
        raise DataError(
            f"{config.dataset} is plain video, which can't be drawn again: give a data set of robossl collect"
        )
    refuse_heldout(source, name=config.dataset)
    return source


def _check(config: RerenderConfig, cameras: Sequence[str]) -> None:
    if config.output.resolve().is_relative_to(config.dataset.resolve()):
        raise ConfigError(f"output {config.output} lies in the data set itself; choose another --output")
    if config.image_size % 2:
        raise ConfigError(f"image_size is {config.image_size}; H.264 stores even sizes only")
    if len(set(cameras)) < len(cameras):
        raise ConfigError(f"cameras names one twice: {', '.join(cameras)}")


def _domain(source: LeRobotSource, config: RerenderConfig) -> str:
    domains = {str(source.episode_metadata(episode).get("domain", "")) for episode in range(len(source.lengths))}
    if len(domains) > 1:
        raise ConfigError(f"{config.dataset} holds the domains {', '.join(sorted(domains))}; name one with --domain")
    return domains.pop()


def _present(writer: EpisodeWriter, source: LeRobotSource, config: RerenderConfig) -> int:
    """Return how many episodes are there already.

    Raises:
        DataError: they were drawn from other episodes.
    """
    for number, extras in enumerate(writer.extras()):
        if extras.get(ORIGIN) != {"digest": source.digest, "episode": number}:
            raise DataError(f"{config.output} holds other episodes than {config.dataset} now: choose another --output")
    return writer.num_episodes


def _draw(
    writer: EpisodeWriter, source: LeRobotSource, episode: int, artist: _Artist, *, domain: str
) -> Callable[[], int]:
    """Draw an episode and return what writes it."""
    rows = np.arange(int(source.lengths[episode]))
    metadata = source.episode_metadata(episode)
    frames, look = artist.draw(source.values(episode, rows, VISUAL_STATE), int(metadata["seed"]))
    seen = look.record() if hasattr(look, "record") else {}
    told = {
        "domain": domain,
        "renderer": artist.renderer,
        "variations": {**metadata.get("variations", {}), **seen},
        ORIGIN: {"digest": source.digest, "episode": episode},
    }
    return partial(
        writer.append_rows,
        frames=frames,
        sizes={camera: pictures.shape[1:3] for camera, pictures in frames.items()},
        columns={key: source.values(episode, rows, key).astype(source.dtype(key)) for key in source.features},
        task=metadata["task"],
        extras={**metadata, **told},
    )
