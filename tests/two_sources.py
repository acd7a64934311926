"""`robossl pretrain` on two sources in memory: episodes with actions and a second look, and plain video."""

from pathlib import Path

import pytest
from memory_source import MemorySource

from robossl.config.pretrain import EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.runs import open_run
from robossl.stages import pretrain_sources
from robossl.stages.pretrain import pretrain

OBJECTIVES = (
    ObjectiveConfig(name="paired_looks", params={"num_instants": 3}),
    ObjectiveConfig(name="time_contrast", params={"num_anchors": 3}),
    ObjectiveConfig(name="future_frames", params={"num_context": 2, "horizons": (1, 3), "widths": (8, 16)}),
    ObjectiveConfig(name="inverse_dynamics", params={"frame_stride": 1}),
)


def pretrain_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PretrainConfig:
    """Two sources: episodes with actions and a second look, and plain video."""
    folders = {
        "episodes": MemorySource(lengths=(12, 14, 11, 13, 12)),
        "video": MemorySource(actions=False, looks=1, seed=1),
    }
    for name in folders:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(pretrain_sources, "discover_sources", lambda path, **_: {path.name: folders[path.name]})
    return PretrainConfig(
        output=tmp_path / "run",
        sources=(
            SourceConfig(path=tmp_path / "episodes"),
            SourceConfig(path=tmp_path / "video", objectives=("time_contrast", "future_frames")),
        ),
        objectives=OBJECTIVES,
        encoder=EncoderConfig(feature_dim=16, params={"widths": (8, 16), "strides": (4, 2)}),
        image_size=(24, 32),
        batch_size=2,
        num_steps=4,
        log_every=1,
        checkpoint_every=1,
        cache_dir=tmp_path / "cache",
        device="cpu",
    )


def run(config: PretrainConfig) -> dict:
    with open_run(config.output, command="pretrain", config=config) as opened:
        return opened.finish(pretrain(config, run=opened))
