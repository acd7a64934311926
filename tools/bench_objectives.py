"""Beside lightly and stable-pretraining: equal losses, and the time of a contrastive step.

    python -m venv DIR && DIR/bin/pip install torch robossl lightly stable-pretraining
    DIR/bin/python tools/bench_objectives.py [--rounds 9] [--json]

Two things are measured on one machine, in one process, with frames in memory:

- InfoNCE and VICReg of all three on the same random float64 embeddings: largest difference of loss and gradient;
- a contrastive step (two looks through the same kind of encoder and projector, loss, backward, clipping, AdamW), one of
  each library after the other, round by round: medians, and the median of the rounds' ratios.
"""

import argparse
import copy
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from bench_parts import CLOCKS, Frames, Times, adamw, build_objective, milliseconds, recipe
from torch import Tensor, nn

from robossl.config.pretrain import PretrainConfig
from robossl.data.clip_dataset import ClipDataset
from robossl.objectives import WeightedSum
from robossl.objectives.parts.infonce import pair_info_nce
from robossl.objectives.parts.vicreg import spread_terms
from robossl.types import ClipBatch

TEMPERATURE = 0.1
Losses = Mapping[str, Callable[[Tensor, Tensor], Tensor]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="of contrastive steps")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    peers = {"InfoNCE": _info_nce_of_peers(TEMPERATURE), "VICReg": _vicreg_of_peers()}
    indent = None if options.json else 2
    print(
        json.dumps({"threads": torch.get_num_threads(), "differences": _differences(peers)}, indent=indent), flush=True
    )
    print(json.dumps({"loss": _losses(peers["InfoNCE"])}, indent=indent), flush=True)
    print(json.dumps({"step": _steps(recipe(), peers["InfoNCE"], rounds=options.rounds)}, indent=indent), flush=True)


def _info_nce_of_peers(temperature: float) -> Losses:
    from lightly.loss import NTXentLoss
    from stable_pretraining.losses import NTXEntLoss

    return {"lightly": NTXentLoss(temperature), "stable-pretraining": NTXEntLoss(temperature)}


def _vicreg_of_peers() -> Losses:
    from lightly.loss import VICRegLoss
    from stable_pretraining.losses import VICRegLoss as StableVICRegLoss

    return {"lightly": VICRegLoss(), "stable-pretraining": StableVICRegLoss()}


def _our_info_nce(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss of `simclr`, each row an episode of its own so that all others are negatives."""
    number = torch.arange(len(first))
    return pair_info_nce(
        first,
        second,
        episode=number,
        first_time_s=torch.zeros(len(first)),
        second_time_s=torch.zeros(len(first)),
        valid=torch.ones(len(first), dtype=torch.bool),
        temperature=TEMPERATURE,
        negative_margin_s=0.1,
    )[0]


def _our_vicreg(first: Tensor, second: Tensor) -> Tensor:
    """Return the loss of `vicreg` with its default weights, from the terms that it is made of."""
    (variance, covariance), (other_variance, other_covariance) = spread_terms(first), spread_terms(second)
    invariance = (first - second).square().mean()
    return 25 * invariance + 25 * (variance + other_variance) / 2 + covariance + other_covariance


def _differences(peers: Mapping[str, Losses]) -> dict[str, Any]:
    """Return the largest differences of loss and gradient to ours on the same numbers."""
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(256, 64, generator=generator, dtype=torch.float64) for _ in range(2)]
    sides[1] = sides[0] + 0.5 * sides[1]
    found: dict[str, Any] = {}
    for kind, ours in (("InfoNCE", _our_info_nce), ("VICReg", _our_vicreg)):
        loss, gradient = _with_gradient(ours, sides)
        for name, theirs in peers[kind].items():
            other_loss, other_gradient = _with_gradient(theirs, sides)
            found[f"{kind}, {name}"] = {
                "loss": loss,
                "loss_difference": abs(loss - other_loss),
                "gradient_difference": float((gradient - other_gradient).abs().max()),
            }
    return found


def _with_gradient(loss: Callable[[Tensor, Tensor], Tensor], sides: list[Tensor]) -> tuple[float, Tensor]:
    first, second = (side.clone().requires_grad_() for side in sides)
    value = loss(first, second)
    value.backward()
    assert first.grad is not None
    assert second.grad is not None
    return float(value.detach()), torch.cat([first.grad, second.grad])


def _steps(config: PretrainConfig, peers: Losses, *, rounds: int) -> dict[str, Any]:
    """Return the median times of a step of each library [ms], and the rounds' median ratios to ours."""
    objective = build_objective(config, "simclr", {"num_instants": 2, "temperature": TEMPERATURE})
    source = Frames(num_episodes=config.batch_size, length=31, size=config.image_size)
    window = objective.window_for(num_views=1, has_actions=False)
    clips = ClipDataset(source, window, seed=0, views=source.cameras[:1])
    batch = clips.batch(range(config.batch_size), positions=range(config.batch_size))
    steps = {"robossl": _our_step(objective, batch)}
    for name, loss in peers.items():
        own = copy.deepcopy(objective)
        steps[name] = _their_step(own.encoder, own.members["simclr"].projector, loss, batch)
    for step in steps.values():
        step()  # what is made at the first call is not timed
    times: dict[str, list[Times]] = {name: [] for name in steps}
    for number in range(rounds):
        names = list(steps)[number % len(steps) :] + list(steps)[: number % len(steps)]
        for name in names:
            times[name].append(milliseconds(steps[name]))
    return {name: _beside(found, times["robossl"]) for name, found in times.items()}


def _beside(times: Sequence[Times], ours: Sequence[Times]) -> dict[str, dict[str, float]]:
    """Return medians [ms] and the median ratio to ours, on the wall's clock and on the processor's."""
    theirs, own = np.array(times), np.array(ours)
    return {
        clock: {"ms": float(np.median(theirs[:, i])), "times_ours": float(np.median(theirs[:, i] / own[:, i]))}
        for i, clock in enumerate(CLOCKS)
    }


def _losses(peers: Losses) -> dict[str, dict[str, dict[str, float]]]:
    """Return the times of InfoNCE and its gradient alone, for 128 pairs as in the step."""
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(128, 64, generator=generator) for _ in range(2)]
    losses = {"robossl": _our_info_nce, **peers}
    times: dict[str, list[Times]] = {name: [] for name in losses}
    for _ in range(100):
        for name, loss in losses.items():
            times[name].append(milliseconds(partial(_with_gradient, loss, sides)))
    return {name: _beside(found, times["robossl"]) for name, found in times.items()}


def _finish(loss: Tensor, parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def _our_step(objective: WeightedSum, batch: ClipBatch) -> Callable[[], None]:
    parameters = [p for p in objective.parameters() if p.requires_grad]
    optimizer = adamw(objective.param_groups(), PretrainConfig())
    return lambda: _finish(objective(batch).loss, parameters, optimizer)


def _their_step(encoder: nn.Module, projector: nn.Module, loss: Any, batch: ClipBatch) -> Callable[[], None]:
    """Return a step as their documentation writes it, on the same frames."""
    model = nn.Sequential(encoder, projector)
    parameters = list(model.parameters())
    optimizer = adamw(parameters, PretrainConfig())
    first, second = (batch.pixels[:, 0, batch.groups[name]].flatten(0, 1) for name in ("anchor", "again"))
    return lambda: _finish(loss(model(first), model(second)), parameters, optimizer)


if __name__ == "__main__":
    main()
