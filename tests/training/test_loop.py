"""The loop: exact resume, clear failures, and what it reports."""

import math
import os
import signal
import threading
import time

import pytest
import torch
from tiny_pretraining import tiny_loader, tiny_objective, tiny_train
from torch import nn

from robossl.errors import ConfigError, TrainingError
from robossl.objectives import Ramp
from robossl.training import LoopSettings, Processes, learning_rate_factor, pick_device, processes, train
from robossl.training.prefetch import Prefetcher
from robossl.types import ClipBatch, ObjectiveOutput

ALONE = Processes(rank=0, world_size=1, device=torch.device("cpu"))


def equal(first: nn.Module, second: nn.Module) -> bool:
    there = second.state_dict()
    return all(torch.equal(value, there[name]) for name, value in first.state_dict().items())


def test_two_steps_stop_two_steps_equals_four_steps_bit_for_bit(tmp_path) -> None:
    rows: list = []
    straight, _ = tiny_train(tmp_path / "straight", 4, rows=rows)
    with pytest.raises(KeyboardInterrupt):
        tiny_train(tmp_path / "stopped", 2, planned_steps=4)
    again: list = []
    resumed, summary = tiny_train(tmp_path / "stopped", 4, rows=again)
    assert summary.first_step == 2
    assert equal(straight, resumed)
    assert [step for step, _ in again] == [2, 3]
    assert again[-1][1]["loss"] == rows[-1][1]["loss"]


def test_every_objective_learns_and_reports(tmp_path) -> None:
    rows: list = []
    objective, summary = tiny_train(tmp_path, 30, rows=rows, learning_rate=3e-3)
    for name in objective.members:
        early = sum(metrics[f"{name}/loss"] for _, metrics in rows[:8])
        late = sum(metrics[f"{name}/loss"] for _, metrics in rows[-8:])
        assert late < early, name
    assert {"learning_rate", "grad_norm", "data_wait_fraction", "images_per_s"} <= rows[-1][1].keys()
    assert summary.num_steps == 30
    assert 0 <= summary.data_wait_fraction <= 1


def test_a_finished_run_is_not_trained_again(tmp_path) -> None:
    first, _ = tiny_train(tmp_path, 2)
    again, summary = tiny_train(tmp_path, 2)
    assert equal(first, again)
    assert summary.first_step == 2


class Exploding(nn.Module):
    """Loses all sense at step 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, batch) -> ObjectiveOutput:
        self.calls += 1
        factor = math.inf if self.calls == 2 else 1.0
        return ObjectiveOutput(loss=(self.weight * factor).sum(), metrics={"part": 3.0})

    def param_groups(self) -> list:
        return [{"params": [self.weight]}]

    def after_step(self, step: int, num_steps: int) -> None:
        pass


def run(module: nn.Module, tmp_path, *, num_steps: int = 3, fingerprint: str = "x", prepare=None, hooks=(), **more):
    loader = tiny_loader(tiny_objective())
    return train(
        module,
        read=loader,
        prepare=prepare or (lambda batch, step: batch),
        settings=LoopSettings(num_steps=num_steps, checkpoint_every=1, **more),
        here=ALONE,
        checkpoints=tmp_path,
        fingerprint=fingerprint,
        log=lambda step, metrics: None,
        hooks=hooks,
    )


def test_a_loss_that_is_not_finite_stops_with_step_and_episodes_and_keeps_the_weights_before(tmp_path) -> None:
    with pytest.raises(
        TrainingError, match=r"loss is inf at step 1 \(source 'memory', episodes \[.*\]; part 3\)"
    ) as error:
        run(Exploding(), tmp_path)
    assert "; the checkpoint of step 1 is kept: lower learning_rate, or look at these episodes" in str(error.value)
    assert "\n" not in str(error.value)
    kept = torch.load(tmp_path / "last.pt", weights_only=True)
    assert kept["step"] == 1
    assert torch.isfinite(kept["module"]["weight"]).all()


def test_the_objective_whose_loss_is_not_finite_is_named(tmp_path) -> None:
    objective = tiny_objective()
    original = objective.members["time_contrast"].compute

    def broken(encoded):
        output = original(encoded)
        return ObjectiveOutput(loss=output.loss * math.nan, metrics=output.metrics)

    objective.members["time_contrast"].compute = broken
    with pytest.raises(TrainingError, match=r"^the loss of objective 'time_contrast' is nan at step 0 ") as error:
        run(objective, tmp_path)
    assert "there is no checkpoint yet: lower learning_rate" in str(error.value)


class Steep(Exploding):
    """A finite loss whose gradient is infinite at the second step."""

    def forward(self, batch: ClipBatch) -> ObjectiveOutput:
        self.calls += 1
        root = (self.weight * (0.0 if self.calls == 2 else 1.0)).abs().sqrt()
        return ObjectiveOutput(loss=root.sum(), metrics={})


def test_a_gradient_that_is_not_finite_stops_before_it_reaches_the_weights(tmp_path) -> None:
    module = Steep()
    with pytest.raises(
        TrainingError, match=r"gradient is (nan|inf) at step 1, though the loss is 0; the checkpoint of"
    ):
        run(module, tmp_path)
    assert torch.isfinite(module.weight).all()
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 1


def test_a_checkpoint_of_another_configuration_or_a_damaged_one_is_refused(tmp_path) -> None:
    run(Exploding(), tmp_path, num_steps=1)
    with pytest.raises(TrainingError, match="belongs to another configuration"):
        run(Exploding(), tmp_path, num_steps=1, fingerprint="y")
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match=r"can't read checkpoint .*last.pt") as damaged:
        run(Exploding(), tmp_path, num_steps=1)
    assert "\n" not in str(damaged.value)


def test_ctrl_c_finishes_the_step_and_saves_it(tmp_path) -> None:
    def interrupt(batch, step):
        if step == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return batch

    with pytest.raises(KeyboardInterrupt):
        run(tiny_objective(), tmp_path, prepare=interrupt)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_hooks_are_called_with_finished_steps_in_evaluation_mode(tmp_path) -> None:
    objective = tiny_objective()
    called = []
    run(objective, tmp_path, hooks=[lambda done: called.append((done, objective.training)) or {"x": 1.0}], hook_every=2)
    assert called == [(2, False)]
    assert objective.training


def test_what_is_no_module_is_refused(tmp_path) -> None:
    with pytest.raises(TypeError, match="must be a torch module, got object"):
        run(object(), tmp_path)


def test_an_error_of_the_reading_thread_arrives_in_the_training_thread() -> None:
    def read(step: int) -> int:
        if step == 2:
            raise ValueError("broken frame")
        return step

    with Prefetcher(read, range(5)) as batches, pytest.raises(ValueError, match="broken frame"):
        assert [batch for _, batch in batches]


def test_waiting_for_data_is_measured() -> None:
    with Prefetcher(lambda step: time.sleep(0.05) or step, range(3)) as batches:
        assert [batch for _, batch in batches] == [0, 1, 2]
    assert batches.waited_s > 0.1


def test_the_schedule_warms_up_and_falls_along_a_cosine() -> None:
    factors = [learning_rate_factor(step, 10, warmup_steps=2, final=0.1) for step in range(11)]
    assert factors[:3] == [0.5, 1.0, 1.0]
    assert factors[6] == pytest.approx(0.55)
    assert factors[10] == pytest.approx(0.1)
    assert learning_rate_factor(0, 10, warmup_steps=0) == 1.0
    lines = [learning_rate_factor(step, 10, schedule="linear", warmup_steps=2, final=0.5) for step in (1, 2, 6, 10, 12)]
    assert lines == pytest.approx([1, 1, 0.75, 0.5, 0.5])
    assert {learning_rate_factor(step, 10, schedule="constant", warmup_steps=0, final=0.1) for step in range(11)} == {1}


def test_the_gradients_of_two_batches_are_that_of_one_twice_as_large(tmp_path) -> None:
    """True for a loss that is a mean over clips, as that of an autoencoder."""
    specs = (("autoencoder", 1.0, {}),)
    rows: list = []
    joint, _ = tiny_train(tmp_path / "joint", 3, specs=specs, batch_size=8, average_momentum=0.0)
    parts, _ = tiny_train(
        tmp_path / "parts", 3, specs=specs, batch_size=4, accumulate=2, average_momentum=0.0, rows=rows
    )
    assert [step for step, _ in rows] == [0, 1, 2]
    for name, value in joint.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, rtol=1e-3, atol=1e-5, msg=name)


def test_a_run_with_all_options_goes_on_to_the_same_bits(tmp_path) -> None:
    options = {"accumulate": 2, "schedule": "linear", "ramps": {"time_contrast": Ramp(0.0, 3)}}
    straight, _ = tiny_train(tmp_path / "straight", 4, **options)
    with pytest.raises(KeyboardInterrupt):
        tiny_train(tmp_path / "stopped", 2, planned_steps=4, **options)
    resumed, summary = tiny_train(tmp_path / "stopped", 4, **options)
    assert summary.first_step == 2
    assert equal(straight, resumed)
    assert resumed.weight("time_contrast") == 0.5


def test_devices_are_checked() -> None:
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(ConfigError, match="device must be auto, cpu or cuda, got 'tpu'"):
        pick_device("tpu")
    with processes("cpu") as here:
        assert here.is_first
        assert here.world_size == 1
