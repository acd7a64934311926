"""`robossl probe`: what a linear probe reads out of frozen features, in each domain; and nearest neighbours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8

from robossl.config.probe import ProbeConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import EpisodeSource, LeRobotSource, open_source
from robossl.data.splits import split_episodes
from robossl.encoders import Encoder
from robossl.errors import ConfigError, DataError
from robossl.evaluation.neighbours import nearest_in_other_episodes, neighbour_strip
from robossl.evaluation.probe import (
    PixelPca,
    ProbeData,
    ProbeScore,
    ProbeTarget,
    RidgeProbe,
    score_probe,
    score_row,
    state_targets,
)
from robossl.runs import Run
from robossl.stages.encoders import open_encoder
from robossl.training import pick_device

STATE_KEY = "observation.environment_state"
ENCODE_BATCH = 256
NEIGHBOURS = 5
COLUMNS = ("features", "data", "target", "n", "mean_error", "median_error", "unit", "r2")
NOTE = (
    "A linear (ridge) probe on frozen features, fitted on training episodes of the first data set and tested on n "
    "frames of held-out episodes of each. Errors are distances over all columns of a target; r2: 1 is exact, 0 is no "
    "better than the mean. pca: the same probe on principal components of the pixels, their proportions kept."
)


class Sampled:
    """Frames of some episodes of one source, at the encoder's size, with what they are to tell."""

    def __init__(self, source: EpisodeSource, episodes: Int64[np.ndarray, " N"], config: ProbeConfig) -> None:
        rows = spread(source.lengths[episodes], config.max_frames)
        pairs = [(int(episode), index) for episode, index in zip(episodes, rows, strict=True) if len(index)]
        self.frames: UInt8[np.ndarray, "n C H W"] = np.concatenate(
            [source.frames(episode, index, config.camera) for episode, index in pairs]
        )
        self.truth: Float[np.ndarray, "n Y"] = np.concatenate(
            [source.values(episode, index, config.key) for episode, index in pairs]
        )
        self.episode: Int64[np.ndarray, " n"] = np.concatenate([np.full(len(i), e, np.int64) for e, i in pairs])

    def with_features(self, features: Float[np.ndarray, "n D"]) -> ProbeData:
        """Return the data of a probe on these features."""
        return ProbeData(features=features, truth=self.truth, episode=self.episode)

    def pixels(self) -> Float[np.ndarray, "n P"]:
        """Return the frames as rows of numbers in 0-1."""
        return self.frames.reshape(len(self.frames), -1).astype(np.float32) / 255


def probe(config: ProbeConfig, *, run: Run) -> dict[str, Any]:
    """Fit the probe, score it on each data set, and draw the neighbours.

    Raises:
        ConfigError: a value is not allowed.
        DataError: a data set lacks the camera, the key or the columns.
    """
    device = pick_device(config.device)
    encoder, encoder_digest = open_encoder(config.encoder, architecture=config.architecture, seed=config.seed)
    encoder = encoder.to(device).eval()
    paths = (config.source, *config.transfer)
    sources = [_open(path, encoder, config) for path in paths]
    targets = _targets(sources, config)
    with run.time("read frames"):
        splits = [split_episodes(source, test_fraction=config.test_fraction) for source in sources]
        train = Sampled(sources[0], splits[0].train, config)
        tests = [Sampled(source, split.test, config) for source, split in zip(sources, splits, strict=True)]
    names = _names(sources, paths)
    with run.time("probe"):
        features = [encode(encoder, sampled.frames) for sampled in (train, *tests)]
        scores = _scores(train, tests, features, targets)
        rows = [
            score_row(score, features="encoder", data=name)
            for name, of in zip(names, scores, strict=True)
            for score in of
        ]
        if config.pca:
            rows += _baseline_rows(train, tests, targets, names, config)
    if config.num_neighbour_queries:
        _draw_neighbours(tests[0], features[1], config, folder=run.figures)
    run.tracker.cut_back(0)
    run.tracker.log(0, {f"probe/{row[1]}/{row[0]}/{row[2]}/r2": row[-1] for row in rows})
    table = {"title": _title(config), "columns": list(COLUMNS), "rows": rows, "note": NOTE}
    inputs = {"encoder": encoder_digest} | {f"data {name}": s.digest for name, s in zip(names, sources, strict=True)}
    return {"tables": [table], "encoder": config.encoder, "inputs": inputs}


def _title(config: ProbeConfig) -> str:
    """Return what was read out of which data, so that tables of several tasks are told apart."""
    what = "positions in the scene" if config.key == STATE_KEY else config.key
    return f"Probe on {config.source.name}: {what}, read from frozen features"


@torch.inference_mode()
def encode(encoder: Encoder, frames: UInt8[np.ndarray, "n C H W"]) -> Float[np.ndarray, "n D"]:
    """Return the features of all frames."""
    device = encoder.mean.device
    parts = [encoder(part.to(device)).float().cpu() for part in torch.from_numpy(frames).split(ENCODE_BATCH)]
    return torch.cat(parts).numpy()


def spread(lengths: Int64[np.ndarray, " N"], max_frames: int) -> list[Int64[np.ndarray, " m"]]:
    """Return frame numbers of each episode, evenly spaced, about `max_frames` in all and at most that many."""
    total = int(np.sum(lengths))
    stride = max(1, -(-total // max_frames))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    # one comb over all episodes laid end to end, so that short episodes are not favoured
    return [np.arange(-start % stride, length, stride) for start, length in zip(starts, lengths, strict=True)]


def _open(path: Path, encoder: Encoder, config: ProbeConfig) -> CachedSource:
    source = open_source(path)
    if config.camera not in source.cameras:
        raise DataError(f"{path} has no camera {config.camera!r}; it has {', '.join(source.cameras)}")
    if config.key not in source.features:
        raise DataError(f"{path} has no {config.key!r}; it has {', '.join(source.features) or 'only video'}")
    return CachedSource(source, encoder.image_size)


def _targets(sources: Sequence[CachedSource], config: ProbeConfig) -> tuple[ProbeTarget, ...]:
    size = sources[0].features[config.key]
    for source in sources:
        if source.features[config.key] != size:
            raise DataError(
                f"{config.key} has {size} columns in one data set and {source.features[config.key]} in another"
            )
    if any(not 0 <= column < size for column in config.dims):
        raise ConfigError(f"dims {list(config.dims)} reach outside of the {size} columns of {config.key}")
    if config.key == STATE_KEY and not config.dims and size % 3 == 0 and size >= 6:
        return state_targets(size)
    whole = ProbeTarget(name=config.key, columns=config.dims or tuple(range(size)))
    return (whole, *_single_columns(sources[0].source, config)) if len(config.dims) > 1 else (whole,)


def _single_columns(source: EpisodeSource, config: ProbeConfig) -> list[ProbeTarget]:
    """Return the chosen columns one by one, where the data set has names for them."""
    names = source.names(config.key) if isinstance(source, LeRobotSource) else ()
    return [ProbeTarget(name=names[column], columns=(column,)) for column in config.dims if names]


def _scores(
    train: Sampled,
    tests: Sequence[Sampled],
    features: Sequence[np.ndarray],
    targets: Sequence[ProbeTarget],
    *,
    keep_proportions: bool = False,
) -> list[list[ProbeScore]]:
    """Return the scores of each test set; `features` are those of the fit, then of each test set."""
    fitted = RidgeProbe(keep_proportions=keep_proportions).fit(train.with_features(features[0]))
    return [
        score_probe(fitted.predict(seen), sampled.truth, targets)
        for sampled, seen in zip(tests, features[1:], strict=True)
    ]


def _baseline_rows(
    train: Sampled, tests: Sequence[Sampled], targets: Sequence[ProbeTarget], names: Sequence[str], config: ProbeConfig
) -> list[list[Any]]:
    pca = PixelPca(config.pca).fit(train.pixels())
    features = [pca.transform(sampled.pixels()) for sampled in (train, *tests)]
    scores = _scores(train, tests, features, targets, keep_proportions=True)
    return [
        score_row(score, features=f"pca-{config.pca}", data=name)
        for name, of in zip(names, scores, strict=True)
        for score in of
    ]


def _draw_neighbours(sampled: Sampled, features: np.ndarray, config: ProbeConfig, *, folder: Path) -> None:
    if len(np.unique(sampled.episode)) < 2:
        return
    from matplotlib.image import imsave

    queries = np.linspace(0, len(features) - 1, config.num_neighbour_queries + 2).astype(np.int64)[1:-1]
    neighbours = nearest_in_other_episodes(features, sampled.episode, queries, k=NEIGHBOURS)
    folder.mkdir(parents=True, exist_ok=True)
    imsave(folder / "neighbours.png", neighbour_strip(sampled.frames, queries, neighbours))
    (folder / "neighbours.txt").write_text(
        "Nearest neighbours: left a held-out frame, then the most alike frames of other episodes, nearest first "
        f"(cosine of the features of {config.encoder}).\n"
    )


def _names(sources: Sequence[EpisodeSource], paths: Sequence[Path]) -> list[str]:
    """Return the domain of each data set, or its folder's name where it has none or shares it with another one."""
    domains = [str(source.episode_metadata(0).get("domain") or "") for source in sources]
    names = [
        domain if domain and domains.count(domain) == 1 else " ".join(filter(None, (path.name, domain)))
        for domain, path in zip(domains, paths, strict=True)
    ]
    return [name if names.count(name) == 1 else str(path) for name, path in zip(names, paths, strict=True)]
