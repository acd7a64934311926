"""Weights & Biases, fed from a run's own record. wandb is imported when the first row is sent."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

STEP_KEY = "train_step"
"""W&B's own step counts log calls and may only grow; ours goes back on resume, so it is sent as a metric."""

_ARTIFACTS = ("episodes", "encoder", "policy")
"""What stages call what they make."""


class WandbFeed:
    """One W&B run, whose files stay below the run directory.

    Args:
        directory: Where W&B writes (`directory/wandb`).
        run_id: The same id continues the same W&B run.
        mode: `offline` never uses the network.
        rows: What the run recorded so far. Rows that W&B has not seen are sent again, so that neither a kill nor a
            resume leaves a gap: offline each resume is a file of its own, which then holds all rows.
    """

    def __init__(
        self,
        directory: Path,
        *,
        run_id: str,
        name: str,
        project: str,
        mode: Literal["offline", "online"],
        config: Mapping[str, Any],
        rows: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        files = (directory / "wandb").resolve()
        files.mkdir(parents=True, exist_ok=True)
        # W&B reads these at every use and would otherwise write to the home folder
        places = {
            "WANDB_DIR": directory.resolve(),
            "WANDB_DATA_DIR": files / "data",
            "WANDB_CACHE_DIR": files / "cache",
        }
        os.environ.update({key: str(place) for key, place in places.items()} | {"WANDB_SILENT": "true"})
        import wandb

        self._wandb = wandb
        settings = wandb.Settings(
            console="off",
            silent=True,
            disable_git=True,
            disable_code=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        self._run = wandb.init(
            dir=str(directory),
            id=run_id,
            name=name,
            project=project,
            mode=mode,
            resume="allow" if mode == "online" else None,  # offline there is nothing to ask
            config=dict(config),
            settings=settings,
            reinit="create_new",
        )
        self._online = mode == "online"
        self._run.define_metric(STEP_KEY)
        self._run.define_metric("*", step_metric=STEP_KEY)
        seen = self._run.summary.get(STEP_KEY, -1) if self._online else -1
        for row in rows:
            if row["step"] > seen:
                self.log(row)

    def log(self, row: Mapping[str, Any]) -> None:
        """Send one row of `metrics.jsonl`."""
        self._run.log({STEP_KEY: row["step"]} | {key: value for key, value in row.items() if key != "step"})

    def log_video(self, name: str, path: Path, *, step: int) -> None:
        """Send a finished MP4 file."""
        self._run.log({STEP_KEY: step, name: self._wandb.Video(str(path), format="mp4")})

    def log_artifact(self, name: str, *, kind: str, path: Path, digest: str, inputs: Mapping[str, str]) -> None:
        """Send files with their digest and the digests of what they were made from."""
        artifact = self._wandb.Artifact(name, type=kind, metadata={"digest": digest, "inputs": dict(inputs)})
        add = artifact.add_dir if path.is_dir() else artifact.add_file
        add(str(path), policy="immutable")  # the run directory keeps the files, so no second copy is staged
        if self._online:  # offline W&B can't know what it has; the metadata hold the lineage in both modes
            self._use(inputs)
        self._run.log_artifact(artifact, aliases=["latest", _alias(digest)])

    def _use(self, inputs: Mapping[str, str]) -> None:
        for digest in inputs.values():
            for name in _ARTIFACTS:  # an input goes by its role, an artifact by its kind; the digest is the same
                try:
                    self._run.use_artifact(f"{name}:{_alias(digest)}")
                    break
                except (self._wandb.errors.CommError, ValueError):
                    continue  # of another kind, made in another project, or never sent: the metadata name it

    def finish(self, summary: Mapping[str, Any], *, exit_code: int = 0) -> None:
        """Write the result into the summary, the digests of the inputs also into the config, and close."""
        if inputs := summary.get("inputs"):
            self._run.config.update({"inputs": dict(inputs)}, allow_val_change=True)
        self._run.summary.update(dict(summary))
        self._run.finish(exit_code=exit_code)


def _alias(digest: str) -> str:
    return digest.replace(":", "-")
