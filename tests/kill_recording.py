"""What is killed while it records: `collect` or `import` with a log of each episode that was reported written."""

import os
from pathlib import Path
from typing import Any

import point_env  # noqa: F401  registers the env

from robossl.config.collect import CollectConfig
from robossl.config.import_footage import ImportConfig
from robossl.data.lerobot import EpisodeWriter
from robossl.runs import open_run
from robossl.stages.collect import collect
from robossl.stages.import_footage import import_footage


def record(kind: str, root: Path, footage: Path) -> None:
    """Record until done; the log beside `root` holds an index for each episode that `append_rows` returned from."""
    log = os.open(root.parent / "reported", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    append = EpisodeWriter.append_rows

    def reporting(self: EpisodeWriter, **rest: Any) -> int:
        index = append(self, **rest)
        os.write(log, f"{index}\n".encode())
        return index

    EpisodeWriter.append_rows = reporting  # type: ignore[method-assign]
    if kind == "collect":
        config = CollectConfig(
            output=root, env_id="test/Point-v0", num_episodes=200, image_size=32, num_workers=1, domain="nominal"
        )
        with open_run(config.run_directory, command="collect", config=config) as run:
            collect(config, run=run)
    else:
        import_footage(ImportConfig(path=footage, output=root, max_episode_s=0.5))
