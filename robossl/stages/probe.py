"""`robossl probe`: what probes read out of frozen features, in each domain; and nearest neighbours."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from robossl.config.probe import ProbeConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import EpisodeSource, LeRobotSource, open_source
from robossl.data.splits import Split, split_episodes
from robossl.encoders import Encoder, load_card
from robossl.errors import ConfigError, DataError
from robossl.evaluation.probe import (
    PixelPca,
    ProbeTarget,
    RidgeProbe,
    score_probe,
    score_row,
    state_targets,
)
from robossl.evaluation.probe_heads import Head, probe_head
from robossl.runs import Run
from robossl.stages.encoders import open_encoder
from robossl.stages.probe_domains import NOTE as DOMAIN_NOTE
from robossl.stages.probe_domains import domain_rows
from robossl.stages.probe_figures import draw_distances, draw_neighbours
from robossl.stages.probe_frames import Sampled, as_rows, features_of
from robossl.stages.probe_identity import COLUMNS as IDENTITY_COLUMNS
from robossl.stages.probe_identity import NOTE as IDENTITY_NOTE
from robossl.stages.probe_identity import identity_rows
from robossl.stages.probe_masks import COLUMNS as MASK_COLUMNS
from robossl.stages.probe_masks import NOTE as MASK_NOTE
from robossl.stages.probe_masks import mask_rows, masked
from robossl.stages.probe_time import COLUMNS as MEASURE_COLUMNS
from robossl.stages.probe_time import NOTE as TIME_NOTE
from robossl.stages.probe_time import Features, time_rows
from robossl.training import pick_device

logger = logging.getLogger(__name__)
STATE_KEY = "observation.environment_state"
TIME_TITLE = "What features tell about time"
DOMAIN_TITLE = "What features tell about actions and domains"
IDENTITY_TITLE = "What features tell about which thing is seen"
MASK_TITLE = "What the feature map tells about what each pixel shows"
COLUMNS = ("features", "data", "target", "n", "mean_error", "median_error", "unit", "r2")
NOTE = (
    "A linear (ridge) probe on frozen features, fitted on training episodes of the first data set and tested on n "
    "frames of held-out episodes of each. Errors are distances over all columns of a target; r2: 1 is exact, 0 is no "
    "better than the mean. mlp: one hidden layer; knn: the five nearest training frames. pca: the linear probe on "
    "principal components of the pixels, their proportions kept."
)


def probe(config: ProbeConfig, *, run: Run) -> dict[str, Any]:
    """Fit the probe, score it on each data set, and draw the neighbours.

    Raises:
        ConfigError: a value is not allowed.
        DataError: a data set lacks the camera, the key or the columns.
    """
    if config.domains and not config.transfer:
        raise ConfigError("domains compares data sets, and there is one; name others: --transfer PATH")
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
        features = [features_of(encoder, sampled) for sampled in (train, *tests)]
        rows = [row for head in config.heads for row in _rows(head, train, tests, features, targets, names)]
        if config.pca:
            rows += _baseline_rows(train, tests, targets, names, config)
    seen = _trained_on_held_out(sources, config)
    if seen:
        logger.warning("%s", seen)
    tables = [_table(_title(config), COLUMNS, rows, f"{NOTE} {seen}".strip())]
    if config.time:
        with run.time("measure time"):
            found = _measured(time_rows, train, tests, encoder, names, config)
        tables.append(_table(TIME_TITLE, MEASURE_COLUMNS, found, TIME_NOTE))
    if config.domains:
        with run.time("compare domains"):
            found = _measured(domain_rows, train, tests, encoder, names, config)
        tables.append(_table(DOMAIN_TITLE, MEASURE_COLUMNS, found, DOMAIN_NOTE))
    if config.identity:
        with run.time("tell apart"):
            found = _identity_rows(train, tests, encoder, names, config)
        tables.append(_table(IDENTITY_TITLE, IDENTITY_COLUMNS, found, IDENTITY_NOTE))
    if config.segmentation:
        with run.time("segment"):
            parts = [masked(*part, encoder, config) for part in _parts(sources, splits, paths)]
            found = mask_rows(parts[0], parts[1:], encoder, data=names)
        tables.append(_table(MASK_TITLE, MASK_COLUMNS, found, MASK_NOTE))
    if config.num_neighbour_queries:
        queries = config.num_neighbour_queries
        draw_neighbours(tests[0], features[1], count=queries, encoder=config.encoder, folder=run.figures)
        draw_distances(tests[0], features[1], encoder=config.encoder, folder=run.figures)
    run.tracker.cut_back(0)
    run.tracker.log(0, _numbers(tables))
    inputs = {"encoder": encoder_digest} | {f"data {name}": s.digest for name, s in zip(names, sources, strict=True)}
    return {"tables": tables, "encoder": config.encoder, "inputs": inputs}


def _trained_on_held_out(sources: Sequence[EpisodeSource], config: ProbeConfig) -> str:
    """Return words where the encoder was trained on episodes that are held out here, as far as its card tells."""
    if not Path(config.encoder).is_dir():
        return ""
    trained_on = load_card(config.encoder).get("trained_on", {})
    trained, fraction = set(trained_on.get("inputs", {}).values()), trained_on.get("test_fraction")
    if fraction is None or config.test_fraction <= fraction or not trained & {source.digest for source in sources}:
        return ""
    return (
        "The encoder was trained on some of what is tested here: of these episodes its pretraining held out "
        f"{fraction:.0%}, this probe {config.test_fraction:.0%}."
    )


def _table(title: str, columns: Sequence[str], rows: list[list[Any]], note: str) -> dict[str, Any]:
    return {"title": title, "columns": list(columns), "rows": rows, "note": note}


def _numbers(tables: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return what is logged: of each row the number that tells most, under the names before it."""
    logged = {}
    for table in tables:
        for row in table["rows"]:
            named = f"probe/{row[1]}/{row[0]}/{row[2]}"
            match table["columns"]:
                case [*_, "r2"]:
                    logged[f"{named}/r2"] = row[-1]
                case [*_, "accuracy", "chance"]:
                    logged[f"{named}/accuracy"] = row[-2]
                case [*_, "iou"]:
                    logged[f"{named}/iou"] = row[-1]
                case _:
                    logged[named] = row[-1]
    return logged


def _parts(
    sources: Sequence[CachedSource], splits: Sequence[Split], paths: Sequence[Path]
) -> list[tuple[CachedSource, Int64[np.ndarray, " N"], Path]]:
    """Return source and episodes of the fit, then of each test."""
    tests = [(source, split.test, path) for source, split, path in zip(sources, splits, paths, strict=True)]
    return [(sources[0], splits[0].train, paths[0]), *tests]


def _title(config: ProbeConfig) -> str:
    """Return what was read out of which data, so that tables of several tasks are told apart."""
    what = "positions in the scene" if config.key == STATE_KEY else config.key
    return f"Probe on {config.source.name}: {what}, read from frozen features"


def _open(path: Path, encoder: Encoder, config: ProbeConfig, *, needs_key: bool = True) -> CachedSource:
    source = open_source(path)
    if config.camera not in source.cameras:
        raise DataError(f"{path} has no camera {config.camera!r}; it has {', '.join(source.cameras)}")
    if needs_key and config.key not in source.features:
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


def _rows(
    head: Head,
    train: Sampled,
    tests: Sequence[Sampled],
    features: Sequence[np.ndarray],
    targets: Sequence[ProbeTarget],
    names: Sequence[str],
) -> list[list[Any]]:
    """Return the rows of one head; `features` are those of the fit, then of each test set."""
    fitted = probe_head(head)
    fitted.fit(train.with_features(features[0]))
    label = "encoder" if head == "linear" else f"encoder, {head}"
    return [
        score_row(score, features=label, data=name)
        for name, sampled, seen in zip(names, tests, features[1:], strict=True)
        for score in score_probe(fitted.predict(seen), sampled.truth, targets)
    ]


def _baseline_rows(
    train: Sampled, tests: Sequence[Sampled], targets: Sequence[ProbeTarget], names: Sequence[str], config: ProbeConfig
) -> list[list[Any]]:
    pca = PixelPca(config.pca).fit(train.pixels())
    fitted = RidgeProbe(keep_proportions=True).fit(train.with_features(pca.transform(train.pixels())))
    return [
        score_row(score, features=f"pca-{config.pca}", data=name)
        for name, sampled in zip(names, tests, strict=True)
        for score in score_probe(fitted.predict(pca.transform(sampled.pixels())), sampled.truth, targets)
    ]


def _measured(
    measure: Callable[..., list[list[Any]]],
    train: Sampled,
    tests: Sequence[Sampled],
    encoder: Encoder,
    names: Sequence[str],
    config: ProbeConfig,
) -> list[list[Any]]:
    """Return rows of the encoder's features, and of principal components of pixels."""
    rows = measure(train, tests, partial(features_of, encoder), features="encoder", data=names)
    if config.pca:
        pca = PixelPca(config.pca).fit(train.pixels())
        rows += measure(train, tests, partial(_components, pca), features=f"pca-{config.pca}", data=names)
    return rows


def _identity_rows(
    train: Sampled, tests: Sequence[Sampled], encoder: Encoder, names: Sequence[str], config: ProbeConfig
) -> list[list[Any]]:
    beside = [_open(path, encoder, config, needs_key=False) for path in config.identity_beside]
    splits = [split_episodes(source, test_fraction=config.test_fraction) for source in beside]
    others = [Sampled(source, split.train, config) for source, split in zip(beside, splits, strict=True)]
    asked = [Sampled(source, split.test, config) for source, split in zip(beside, splits, strict=True)]
    kinds: dict[str, Features] = {"encoder": partial(features_of, encoder)}
    if config.pca:
        pca = PixelPca(config.pca).fit(np.concatenate([part.pixels() for part in (train, *others)]))
        kinds[f"pca-{config.pca}"] = partial(_components, pca)
    together = [[tests[0], *asked], *([test] for test in tests[1:])]
    return [
        row
        for what in config.identity
        for label, seen in kinds.items()
        for row in identity_rows(what, [train, *others], together, seen, label=label, data=names)
    ]


def _components(pca: PixelPca, sampled: Sampled, back: int) -> np.ndarray:
    return pca.transform(as_rows(sampled.read(back)))


def _names(sources: Sequence[EpisodeSource], paths: Sequence[Path]) -> list[str]:
    """Return the domain of each data set, or its folder's name where it has none or shares it with another one."""
    domains = [str(source.episode_metadata(0).get("domain") or "") for source in sources]
    names = [
        domain if domain and domains.count(domain) == 1 else " ".join(filter(None, (path.name, domain)))
        for domain, path in zip(domains, paths, strict=True)
    ]
    return [name if names.count(name) == 1 else str(path) for name, path in zip(names, paths, strict=True)]
