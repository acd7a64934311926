"""`robossl embed`: features of footage or episodes as a table, written as they are made."""

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Int64

from robossl.config.embed import EmbedConfig
from robossl.data.sources import EpisodeSource, VideoFolder, open_source
from robossl.encoders import Encoder, load_encoder
from robossl.errors import DataError, closest
from robossl.runs import Run, digest_path
from robossl.stages.progress import tracked
from robossl.training import processes

FEATURES = "features.parquet"


def embed(config: EmbedConfig, *, run: Run) -> dict[str, Any]:
    """Encode every frame, episode after episode, a row group for each batch; memory does not grow with the data.

    The table's columns are `episode`, `frame`, `timestamp_s` and `feature`; its metadata name the encoder and the data.

    Returns:
        `summary`, `features` (the file), `frames`, `feature_dim`, `inputs`.

    Raises:
        DataError: the data can't be read, or have no such camera.
        EncoderError: there is no such encoder.
    """
    source, encoder = open_source(config.path), load_encoder(config.encoder).eval()
    camera = config.camera or source.cameras[0]
    if camera not in source.cameras:
        hint = closest(camera, source.cameras)
        raise DataError(f"{config.path} has no camera {camera!r}; it has {', '.join(source.cameras)}{hint}")
    inputs = {"encoder": digest_path(config.encoder), "data": source.digest}
    schema = _schema(encoder.feature_dim, inputs | {"camera": camera})
    path = run.path / FEATURES
    partial = path.with_name(f".{FEATURES}.tmp")  # renamed when whole
    try:
        with run.time("embed"), processes(config.device) as here, pq.ParquetWriter(partial, schema) as writer:
            encoder.to(here.device)
            frames = 0
            for episode, rows in _batches(source, config):
                features = _encoded(source, episode, rows, camera, encoder, here.device, stride=config.frame_stride)
                writer.write_table(_table(source, episode, rows, features, schema))
                frames += len(rows)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, path)
    return {
        "summary": f"{frames} frames of {len(source.lengths)} episodes, {encoder.feature_dim} numbers each",
        "features": str(path),
        "frames": frames,
        "feature_dim": encoder.feature_dim,
        "inputs": inputs,
    }


def _batches(source: EpisodeSource, config: EmbedConfig) -> Iterator[tuple[int, Int64[np.ndarray, " n"]]]:
    """Yield episode and numbers of the frames that are encoded together."""
    episodes = range(len(source.lengths))
    for episode in tracked(episodes, description="embed", total=len(episodes)):
        numbers = np.arange(0, source.lengths[episode], config.frame_stride)
        for start in range(0, len(numbers), config.batch_size):
            yield episode, numbers[start : start + config.batch_size]


def _table(source: EpisodeSource, episode: int, rows: np.ndarray, features: np.ndarray, schema: pa.Schema) -> pa.Table:
    columns = [
        pa.array(np.full(len(rows), episode, dtype=np.int64)),
        pa.array(rows.astype(np.int64)),
        pa.array(source.times_s(episode)[rows] if isinstance(source, VideoFolder) else rows / source.fps_hz),
        pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), features.shape[1]),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


@torch.no_grad()
def _encoded(
    source: EpisodeSource,
    episode: int,
    rows: np.ndarray,
    camera: str,
    encoder: Encoder,
    device: torch.device,
    *,
    stride: int,
) -> np.ndarray:
    """Return the features of frames so far apart; a video backbone also sees those before, the first over and over."""
    earlier = rows[0] - stride * np.arange(encoder.num_before, 0, -1)
    wanted = np.maximum(np.concatenate([earlier, rows]), 0)
    frames = torch.from_numpy(source.frames(episode, wanted, camera)).to(device)
    features = encoder.encode_clip(frames[None])[0, encoder.num_before :]
    return features.float().cpu().numpy()


def _schema(feature_dim: int, about: dict[str, str]) -> pa.Schema:
    fields = [
        ("episode", pa.int64()),
        ("frame", pa.int64()),
        ("timestamp_s", pa.float64()),
        ("feature", pa.list_(pa.float32(), feature_dim)),
    ]
    return pa.schema(fields, metadata={"robossl": json.dumps(about)})
