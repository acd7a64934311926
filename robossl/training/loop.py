"""The training loop: plain PyTorch, one process or many, stopped and resumed bit for bit.

Everything random in a step is a function of (seed, step), so a checkpoint between two steps is all that resuming needs.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from robossl.errors import TrainingError
from robossl.training.checkpoint import load_checkpoint, save_checkpoint
from robossl.training.distributed import Processes, joint_average, wait_for_all
from robossl.training.interrupt import Interrupt, interruptible
from robossl.training.prefetch import Prefetcher
from robossl.training.schedules import learning_rate_factor
from robossl.training.settings import LoopSettings, Summary
from robossl.types import ClipBatch, ObjectiveOutput


class Trainable(Protocol):
    """What the loop asks of a module beside being one: `robossl.objectives.Objective` has it."""

    def __call__(self, batch: ClipBatch) -> ObjectiveOutput:
        """Return the loss of a batch."""
        ...

    def param_groups(self) -> list[dict[str, Any]]:
        """Return optimizer groups; `lr_scale` in one multiplies its learning rate."""
        ...

    def after_step(self, step: int, num_steps: int) -> None:
        """Do what follows an optimizer step."""
        ...


Read = Callable[[int], ClipBatch]
"""Number of a batch (of a step, unless gradients are accumulated) to this rank's part of it on the CPU; called from a
thread that reads ahead."""
Prepare = Callable[[ClipBatch, int], ClipBatch]
"""Batch and its number to the batch on the device, augmented."""
Log = Callable[[int, Mapping[str, float]], None]
Hook = Callable[[int], Mapping[str, float]]
"""Called with the number of finished steps; what it returns is logged (probes, health of the representation)."""


def train(
    objective: Trainable,
    *,
    read: Read,
    prepare: Prepare,
    settings: LoopSettings,
    here: Processes,
    checkpoints: Path,
    fingerprint: str,
    log: Log,
    on_resume: Callable[[int], None] = lambda step: None,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
    hooks: Sequence[Hook] = (),
) -> Summary:
    """Train from the last checkpoint (or from the start) to the last step.

    Args:
        objective: a module on the device.
        read, prepare: where batches come from.
        settings: how long and how fast.
        here: this process among all.
        checkpoints: directory of the checkpoint.
        fingerprint: of the configuration; a checkpoint with another one is refused.
        log: takes (step, metrics); called on the first rank only.
        on_resume: told the first step that will be taken; called on the first rank only.
        on_step: told (finished steps, loss) after every step.
        hooks: see `Hook`; all ranks call them.

    Raises:
        TrainingError: if a loss is not finite; with step, loss and what the batch held.
        TypeError: if the objective is no module.
        KeyboardInterrupt: after SIGINT or SIGTERM; the step is finished and saved first.
    """
    if not isinstance(objective, nn.Module):
        raise TypeError(f"objective must be a torch module, got {type(objective).__name__}")
    optimizer = _optimizer(objective, settings, here)
    restored = load_checkpoint(
        checkpoints, module=objective, optimizer=optimizer, fingerprint=fingerprint, device=here.device
    )
    first = 0 if restored is None else restored.step
    if here.is_first:
        on_resume(first)
    model = _wrapped(objective, here)
    model.train()

    def save(step: int) -> None:
        if here.is_first:
            save_checkpoint(checkpoints, module=objective, optimizer=optimizer, step=step, fingerprint=fingerprint)
        wait_for_all()

    start_s, start_cpu_s, loss, num_images = time.perf_counter(), time.process_time(), float("nan"), 0
    numbers = range(first * settings.accumulate, settings.num_steps * settings.accumulate)
    with interruptible() as interrupt, Prefetcher(read, numbers) as batches:
        stream = iter(batches)
        for step in range(first, settings.num_steps):
            prepared = (prepare(raw, number) for number, raw in islice(stream, settings.accumulate))
            output, grad_norm, seen = _step(model, objective, optimizer, prepared, step, settings, here)
            loss, stop = _joint(output, interrupt)
            num_images += seen * here.world_size
            done = step + 1
            on_step(done, loss)
            elapsed_s = time.perf_counter() - start_s
            if done % settings.log_every == 0 or done == settings.num_steps:
                metrics = _joint_metrics(output.metrics, here)
                speed = {"data_wait_fraction": batches.waited_s / elapsed_s, "images_per_s": num_images / elapsed_s}
                rate = {"loss": loss, "learning_rate": optimizer.param_groups[0]["lr"], "grad_norm": grad_norm}
                if here.is_first:
                    log(step, {**rate, **metrics, **speed})
            if settings.hook_every and done % settings.hook_every == 0:
                _run_hooks(hooks, done, log, here, model)
            if stop or done % settings.checkpoint_every == 0 or done == settings.num_steps:
                save(done)
            if stop and done < settings.num_steps:
                raise KeyboardInterrupt
        elapsed_s = max(1e-9, time.perf_counter() - start_s)
        return Summary(
            num_steps=settings.num_steps,
            first_step=first,
            loss=loss,
            seconds=elapsed_s,
            cpu_seconds=time.process_time() - start_cpu_s,
            data_wait_fraction=batches.waited_s / elapsed_s,
            images_per_s=num_images / elapsed_s,
        )


def _optimizer(objective: Trainable, settings: LoopSettings, here: Processes) -> torch.optim.AdamW:
    groups = [{"lr_scale": 1.0, **group} for group in objective.param_groups() if group["params"]]
    # fused: one kernel for all parameters, on a CPU too
    return torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


def _wrapped(module: nn.Module, here: Processes) -> nn.Module:
    if here.world_size == 1:
        return module
    devices = [here.device] if here.device.type == "cuda" else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*broadcast_buffers")  # torch 2.6 knows no other name for it
        # a batch may leave objectives or action heads out, the same ones on all ranks
        return DistributedDataParallel(
            _WithSpare(module).to(here.device),
            device_ids=devices,
            find_unused_parameters=True,
            broadcast_buffers=False,
        )


class _WithSpare(nn.Module):
    """The module and one parameter that no batch uses: DDP warns when it looks for such and the first batch has none.

    Whether later batches leave something out is only known once they are read.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.spare = nn.Parameter(torch.zeros(1))

    def forward(self, batch: ClipBatch) -> ObjectiveOutput:
        return self.module(batch)


def _step(
    model: nn.Module,
    objective: Trainable,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[ClipBatch],
    step: int,
    settings: LoopSettings,
    here: Processes,
) -> tuple[ObjectiveOutput, float, int]:
    """Take a step on all its batches; return the mean loss and metrics, the gradient's norm and how many images."""
    factor = learning_rate_factor(
        step,
        settings.num_steps,
        schedule=settings.schedule,
        warmup_steps=settings.warmup_steps,
        final=settings.final_lr_factor,
    )
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * factor * group["lr_scale"]
    optimizer.zero_grad(set_to_none=True)
    outputs, seen = [], 0
    for number, batch in enumerate(batches):
        with _joined(model, last=number == settings.accumulate - 1):
            outputs.append(_backward(model, batch, step, settings, here))
        seen += batch.pixels[..., 0, 0, 0].numel()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    limit = settings.clip_norm or float("inf")
    grad_norm = float(nn.utils.clip_grad_norm_(parameters, limit))
    if not math.isfinite(grad_norm):  # the same on all ranks; one step more, and the weights are lost
        raise TrainingError(
            f"the gradient is {grad_norm} at step {step}, though the loss is {float(outputs[-1].loss):.4g}; "
            f"{_remedy(step, settings)}"
        )
    optimizer.step()
    objective.after_step(step, settings.num_steps)
    return _mean(outputs), grad_norm, seen


def _backward(
    model: nn.Module, batch: ClipBatch, step: int, settings: LoopSettings, here: Processes
) -> ObjectiveOutput:
    """Add the gradient of a batch to those of the step."""
    with torch.autocast(here.device.type, dtype=torch.bfloat16, enabled=here.device.type == "cuda"):
        output: ObjectiveOutput = model(batch)
    # checked before the weights move, on all ranks at once, so that none is left waiting for another
    if not torch.isfinite(joint_average(output.loss.detach())):
        raise TrainingError(_not_finite(output, batch, step, settings))
    (output.loss if settings.accumulate == 1 else output.loss / settings.accumulate).backward()
    return ObjectiveOutput(loss=output.loss.detach(), metrics=output.metrics)


def _joined(model: nn.Module, *, last: bool) -> AbstractContextManager[Any]:
    """Let the ranks average gradients only with the last batch of a step."""
    return model.no_sync() if isinstance(model, DistributedDataParallel) and not last else nullcontext()


def _mean(outputs: Sequence[ObjectiveOutput]) -> ObjectiveOutput:
    """Return the mean of the batches of a step: all come from one source, so all have the same metrics."""
    if len(outputs) == 1:
        return outputs[0]
    metrics = {name: sum(output.metrics[name] for output in outputs) / len(outputs) for name in outputs[0].metrics}
    return ObjectiveOutput(loss=torch.stack([output.loss for output in outputs]).mean(), metrics=metrics)


def _joint(output: ObjectiveOutput, interrupt: Interrupt) -> tuple[float, bool]:
    """Return the loss of the joint batch and whether any rank was asked to stop."""
    flags = torch.stack([output.loss.detach().float(), output.loss.new_tensor(float(interrupt.asked)).float()])
    loss, asked = joint_average(flags).tolist()
    return loss, asked > 0


def _joint_metrics(metrics: Mapping[str, float], here: Processes) -> Mapping[str, float]:
    """Return the mean of each metric over the ranks, which all saw a part of one batch."""
    if here.world_size == 1:
        return metrics
    values = torch.tensor(list(metrics.values()), dtype=torch.float64, device=here.device)
    return dict(zip(metrics, joint_average(values).tolist(), strict=True))


def _not_finite(output: ObjectiveOutput, batch: ClipBatch, step: int, settings: LoopSettings) -> str:
    """Return one line with the objectives that are to blame, which log their losses as `<name>/loss`."""
    episodes = sorted(set(batch.episode_id.tolist()))
    parts = ", ".join(f"{name} {value:.4g}" for name, value in output.metrics.items())
    losses = {name.removesuffix("/loss"): v for name, v in output.metrics.items() if name.endswith("/loss")}
    wrong = [repr(name) for name, value in losses.items() if not math.isfinite(value)]
    blamed = f" of objective {' and '.join(wrong)}" if wrong else ""
    return (
        f"the loss{blamed} is {float(output.loss.detach())} at step {step} (source {batch.source!r}, episodes "
        f"{episodes}; {parts}); {_remedy(step, settings)}, or look at these episodes"
    )


def _remedy(step: int, settings: LoopSettings) -> str:
    kept = step // settings.checkpoint_every * settings.checkpoint_every
    checkpoint = f"the checkpoint of step {kept} is kept" if kept else "there is no checkpoint yet"
    return f"{checkpoint}: lower learning_rate"


def _run_hooks(hooks: Sequence[Hook], done: int, log: Log, here: Processes, module: nn.Module) -> None:
    module.eval()
    metrics = {key: value for hook in hooks for key, value in hook(done).items()}
    module.train()
    if here.is_first and metrics:
        log(done - 1, metrics)
