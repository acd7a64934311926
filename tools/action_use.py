r"""Whether an action-conditioned predictor listens to the actions: its error with its own and with another clip's.

    robossl collect configs/collect/push.yaml
    robossl pretrain configs/pretrain/reach.yaml --sources.0.path=runs/collect-push --num-steps=150 \
        --output=runs/pretrain-push-coarse
    python tools/action_use.py

Trains latent dynamics on the frozen features of play, over ten control steps in five steps of two actions. Then it is
rolled out from every frame of the episodes that no training read, and a ridge probe, fitted on true features, reads the
simulator's state out of what it predicts.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from robossl.data.frame_cache import CachedSource
from robossl.data.sources import EpisodeSource, open_source
from robossl.data.splits import split_episodes
from robossl.encoders import Encoder, load_encoder
from robossl.evaluation.action_use import ActionUse, action_use
from robossl.evaluation.probe import CENTIMETRES_PER_METRE, ProbeData, RidgeProbe
from robossl.objectives.parts.latent_dynamics import LatentDynamics
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.pretrain_sources import ACTION_KEY
from robossl.stages.probe_frames import encode

KEY = "observation.environment_state"
TARGETS = {"state": slice(0, 9), "gripper": slice(0, 3), "object": slice(3, 6), "goal": slice(6, 9)}
"""Columns of the simulator's state; all of them together, and what they are made of."""
STRIDE, HORIZON = 2, 10
"""Actions of a step of the dynamics, and of the whole rollout."""
BATCH, RATE, DECAY, HIDDEN = 256, 1e-3, 1e-2, 512
PROBED = 3
"""The probe is fitted on every third frame of the episodes of training."""
COLUMNS = ("told", "shuffled", "ratio", "seen", "still")


def main() -> None:
    """Train and measure the seeds that are missing, and write the table."""
    arguments = _arguments()
    encoder = load_encoder(arguments.encoder).eval()
    source = CachedSource(open_source(arguments.play), encoder.image_size)
    split = split_episodes(source)
    start_s = time.process_time()
    train, test = (_episodes(encoder, source, numbers) for numbers in (split.train, split.test))
    for seed in range(arguments.num_seeds):
        path = arguments.cells / f"{seed}.json"
        if not path.is_file():
            used = measured(train, test, num_steps=arguments.num_steps, seed=seed)
            seconds = round(time.process_time() - start_s, 1)
            arguments.cells.mkdir(parents=True, exist_ok=True)
            write_json(path, {"seed": seed, "seconds": seconds, "used": {k: asdict(v) for k, v in used.items()}})
        _write_table(arguments.cells)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=Path("runs/pretrain-push-coarse/encoder"))
    parser.add_argument("--play", type=Path, default=Path("runs/collect-push"), help="that the encoder was trained on")
    parser.add_argument("--num-steps", type=int, default=1500, help="of training the dynamics")
    parser.add_argument("--num-seeds", type=int, default=3)
    parser.add_argument("--cells", type=Path, default=Path("docs/results/action_use"))
    return parser.parse_args()


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Episodes of one length L, frame by frame."""

    number: Int64[np.ndarray, " N"]
    features: Float[np.ndarray, "N L D"]
    actions: Float[np.ndarray, "N L A"]
    """The last row is none."""
    state: Float[np.ndarray, "N L 9"]
    """[cm]."""


def _episodes(encoder: Encoder, source: EpisodeSource, numbers: Int64[np.ndarray, " N"]) -> Episodes:
    """Return episodes with features of their first camera; those that ended early are left out."""
    longest = int(source.lengths.max())
    numbers, rows = numbers[source.lengths[numbers] == longest], np.arange(longest)
    frames = (source.frames(number, rows, source.cameras[0]) for number in numbers.tolist())
    actions, state = (
        np.stack([source.values(number, rows, key) for number in numbers.tolist()]) for key in (ACTION_KEY, KEY)
    )
    features = np.stack([encode(encoder, some) for some in frames])
    return Episodes(number=numbers, features=features, actions=actions, state=CENTIMETRES_PER_METRE * state[..., :9])


class Rollout(nn.Module):
    """Latent dynamics on features and actions at deviation 1."""

    def __init__(self, episodes: Episodes) -> None:
        super().__init__()
        dim = episodes.features.shape[-1]
        self.features = _moments(episodes.features)
        self.actions = _moments(episodes.actions[:, :-1])
        size = episodes.actions.shape[-1]
        self.dynamics = LatentDynamics(dim, action_dim=STRIDE * size, hidden_dim=HIDDEN)

    def scaled(self, episodes: Episodes) -> tuple[Float[np.ndarray, "N L D"], Float[np.ndarray, "N L A"]]:
        """Return features and actions of episodes as the dynamics take them."""
        pairs = ((episodes.features, self.features), (episodes.actions, self.actions))
        features, actions = (((of - mean) / std).astype(np.float32) for of, (mean, std) in pairs)
        return features, actions

    def forward(self, features: Float[Tensor, "B D"], actions: Float[Tensor, "B n A"]) -> Float[Tensor, "B K D"]:
        """Return the features after each step."""
        return self.dynamics.rollout(features, actions.unflatten(1, (-1, STRIDE)).flatten(2))


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values.mean(axis=(0, 1)), values.std(axis=(0, 1))


def trained(episodes: Episodes, *, num_steps: int, seed: int) -> Rollout:
    """Return dynamics that minimize the squared error of all steps of the rollout."""
    torch.manual_seed(seed)
    net = Rollout(episodes)
    features, actions = map(torch.from_numpy, net.scaled(episodes))
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    between, ahead = torch.arange(HORIZON), torch.arange(STRIDE, HORIZON + 1, STRIDE)
    for _ in range(num_steps):
        episode = torch.randint(len(features), (BATCH, 1))
        now = torch.randint(features.shape[1] - HORIZON, (BATCH, 1))
        predicted = net(features[episode, now][:, 0], actions[episode, now + between])
        loss = (predicted - features[episode, now + ahead]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def measured(train: Episodes, test: Episodes, *, num_steps: int, seed: int) -> dict[str, ActionUse]:
    """Return how much dynamics trained on some episodes listen to the actions of others, in cm of the state."""
    net = trained(train, num_steps=num_steps, seed=seed)
    fit = [some[:, ::PROBED] for some in (net.scaled(train)[0], train.state)]
    episode = np.repeat(train.number, fit[0].shape[1])
    probe = RidgeProbe().fit(ProbeData(features=_rows(fit[0]), truth=_rows(fit[1]), episode=episode))
    features, actions = net.scaled(test)
    now = np.arange(features.shape[1] - HORIZON)
    start = torch.from_numpy(_rows(features[:, now]))
    told = actions[:, now[:, None] + np.arange(HORIZON)]  # [N,m,n,A]

    @torch.inference_mode()
    def predict(joined: Float[np.ndarray, "B nA"]) -> Float[np.ndarray, "B D"]:
        steps = torch.from_numpy(joined).unflatten(1, (HORIZON, -1))
        last: Tensor = net(start, steps)[:, -1]
        return last.numpy()

    return action_use(
        predict,
        probe,
        start=start.numpy(),
        end=_rows(features[:, now + HORIZON]),
        actions=told.reshape(-1, HORIZON * told.shape[-1]),
        truth=_rows(test.state[:, now + HORIZON]),
        episode=np.repeat(test.number, len(now)),
        targets=TARGETS,
        seed=seed,
    )


def _rows(values: Float[np.ndarray, "N m k"]) -> Float[np.ndarray, "n k"]:
    return values.reshape(-1, values.shape[-1])


def _write_table(folder: Path) -> None:
    """Write the table of the seeds that are finished."""
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    rows = [
        [cell["seed"], name, *(_words(*use[column]) for column in COLUMNS), use["n"]]
        for cell in cells
        for name, use in cell["used"].items()
    ]
    table: dict[str, Any] = {
        "title": "Mean error ten steps ahead [cm], with the clip's own actions and with those of another episode",
        "columns": ["seed", "of what", "own actions", "shuffled", "ratio", "true frame", "standing still", "clips"],
        "rows": rows,
        "note": "Dynamics on frozen features of paired looks; episodes of play of Push that neither encoder nor "
        "dynamics were trained on. A ridge probe, fitted on true features of the training episodes, reads the state "
        "out of the predicted features; true frame: out of the features of the frame that came; standing still: out "
        "of those of the frame that the prediction starts from. State: Euclidean over gripper, object and goal. In "
        "brackets 95 % (bootstrap over episodes). Seeds are of the dynamics.",
    }
    header = ["# Does the predictor listen to actions?", "", "Made by `python tools/action_use.py`.", ""]
    write_text(folder.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


def _words(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
