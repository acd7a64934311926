"""Predictive tasks: nothing leaks from the future, actions matter only up to the target, and collapse is resisted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from memory_source import MemorySource

from robossl.data.clip_dataset import ClipDataset
from robossl.encoders import build_encoder
from robossl.errors import ConfigError
from robossl.objectives import ActionStats, FutureFeatures, FutureFrames, InverseDynamics, RobotTrack
from robossl.objectives.parts.conditioning import Conditioning, _picked, _summed
from robossl.objectives.parts.ema import EmaCopy, momentum_at
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.vicreg import covariance_term, variance_term

STATS = {"memory": ActionStats(mean=[0.0, 0.0], std=[0.5, 0.5])}
FRAMES = {"num_context": 2, "horizons": (1, 3), "num_targets": None, "widths": (8, 16), "action_stats": STATS}


def tiny_encoder(**arguments):
    small = {"image_size": 32, "feature_dim": 16, "widths": (8, 16), "strides": (4, 2)}
    return build_encoder("conv", **small | arguments)


def clips(objective, *, lengths=(24, 30, 17, 40), actions: bool = True, num: int = 4):
    dataset = ClipDataset(MemorySource(lengths=lengths, actions=actions), objective.window, seed=0, views=("front",))
    return replace(dataset.batch(range(num), positions=range(num)), source="memory")


def shaken(objective, *, by: float = 0.05):
    """Weights of the last layers start at zero; give them values so that dependencies can be seen."""
    with torch.no_grad():
        for parameter in objective.parameters():
            if parameter.requires_grad:
                parameter.add_(by * torch.randn_like(parameter))
    return objective


@pytest.mark.parametrize("kind", [FutureFrames, FutureFeatures])
def test_predictions_do_not_see_the_target(kind) -> None:
    """Gradients reach the encoder's input only from context frames, and target pixels don't move the prediction."""
    arguments = FRAMES if kind is FutureFrames else {"num_context": 2, "horizons": (1, 3), "action_stats": STATS}
    objective = shaken(kind(tiny_encoder(), **arguments))
    batch = clips(objective)
    seen = []
    objective.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    original = objective.encoder.preprocess
    objective.encoder.preprocess = lambda images: seen.append(images) or original(images)
    objective(batch)
    context = batch.pixels[:, 0, batch.groups["context"]].flatten(0, 1)
    assert seen
    assert all(torch.equal(images, context) for images in seen), "the online encoder sees the context and nothing else"

    predictions = []
    objective.predictor.register_forward_hook(lambda module, inputs, output: predictions.append(output.detach()))
    objective(batch)
    other = batch.pixels.clone()
    other[:, :, batch.groups["target"]] = 255 - other[:, :, batch.groups["target"]]
    changed = objective(replace(batch, pixels=other))
    assert torch.equal(predictions[0], predictions[1])
    assert not torch.allclose(changed.loss, objective(batch).loss)


def test_future_frames_starts_as_copy_last_frame_and_beats_it_after_training() -> None:
    torch.manual_seed(0)
    objective = FutureFrames(tiny_encoder(), **FRAMES)
    batch = clips(objective)
    start = objective(batch).metrics
    assert start["psnr_db"] == pytest.approx(start["copy_psnr_db"], abs=1e-3)
    optimizer = torch.optim.Adam(objective.parameters(), 3e-3)
    for _ in range(60):
        output = objective(batch)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
    assert output.metrics["psnr_db"] > start["copy_psnr_db"] + 1.5


def test_predict_gives_the_frames_that_were_scored() -> None:
    objective = shaken(FutureFrames(tiny_encoder(), **FRAMES), by=0.01).eval()
    batch = clips(objective)
    context, target = batch.groups["context"], batch.groups["target"]
    horizon = batch.indices[:, target] - batch.indices[:, context][:, -1:]
    # two frames in a row: the action of the first, then those from the second on
    actions = torch.cat([batch.actions[:, :1, :2], batch.actions[:, 1:2]], dim=2).unflatten(2, (-1, 2)).flatten(1, 2)
    track = RobotTrack(actions=actions, states=batch.proprio[:, context])
    predicted = objective.predict(batch.pixels[:, 0, context], horizon, track=track, source="memory")
    assert predicted.shape == (4, 2, 3, 32, 32)
    assert predicted.dtype == torch.uint8
    errors = ((predicted.float() - batch.pixels[:, 0, target].float()) / 255).square().mean(dim=(2, 3, 4))
    assert float((-10 * errors.log10()).mean()) == pytest.approx(objective(batch).metrics["psnr_db"], abs=0.3)


def test_frames_need_not_be_square_and_actions_need_not_exist() -> None:
    encoder = tiny_encoder(image_size=(24, 40))
    objective = FutureFrames(encoder, **FRAMES)
    predicted = objective.predict(torch.zeros(2, 2, 3, 24, 40, dtype=torch.uint8), torch.tensor([[1, 3], [1, 3]]))
    assert predicted.shape == (2, 2, 3, 24, 40)
    without = FutureFrames(tiny_encoder(), **{**FRAMES, "action_stats": None})
    assert torch.isfinite(without(clips(without, actions=False)).loss)


def test_actions_after_the_target_do_not_count() -> None:
    torch.manual_seed(0)
    conditioning = Conditioning(8, max_horizon=4, action_stats=STATS)
    horizon = torch.tensor([[2, 4]])
    actions = torch.randn(1, 8)
    later = actions.clone()
    later[:, 4:] += 1  # steps 2 and 3
    before, after = conditioning(horizon, actions, "memory"), conditioning(horizon, later, "memory")
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.allclose(before[:, 1], after[:, 1])
    unknown = conditioning(horizon, actions, "another source")
    assert torch.equal(unknown, conditioning(horizon, None, ""))


def test_actions_are_counted_back_from_the_target() -> None:
    """Two horizons whose actions end alike see the same last action, and the distance to the first one."""
    steps = torch.zeros(1, 20, 2)
    steps[0, 9], steps[0, 19] = 3.0, 3.0
    near, far = _picked(steps, torch.tensor([[10, 20]]))[0]
    assert torch.equal(near[:2], torch.full((2,), 3.0))
    assert torch.equal(far[:2], near[:2])
    away = far[-10:]  # of each picked action, log10 of the root mean square
    assert away[0] == pytest.approx(1 + np.log10(3), abs=1e-4)
    assert away[1] == pytest.approx(-1.0, abs=1e-4), "like the first action"
    assert float(_summed(steps, torch.tensor([[10, 20]]))[0, 1, 0]) == pytest.approx(6 / 20)


def test_targets_past_the_end_count_for_nothing() -> None:
    objective = shaken(FutureFrames(tiny_encoder(), **FRAMES))
    batch = clips(objective, lengths=(3, 3, 3, 30))
    assert not batch.valid[:3].all()
    before = objective(batch).loss
    pixels = batch.pixels.clone()
    pixels.transpose(1, 2)[~batch.valid] = 0
    torch.testing.assert_close(objective(replace(batch, pixels=pixels)).loss, before)


def test_inverse_dynamics_reads_the_action_out_of_a_moving_square() -> None:
    torch.manual_seed(0)
    objective = InverseDynamics(tiny_encoder(), num_context=3, frame_stride=1, action_stats=STATS)
    batch = clips(objective)
    optimizer = torch.optim.Adam(objective.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        output = objective(batch)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        losses.append(float(output.loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_inverse_dynamics_scores_scaled_actions() -> None:
    objective = InverseDynamics(tiny_encoder(), action_stats={"memory": ActionStats(mean=[1.0, 2.0], std=[2.0, 4.0])})
    scaled = objective.scaling(torch.tensor([[3.0, 10.0, 1.0, 2.0]]), "memory", num_steps=2)
    assert torch.equal(scaled, torch.tensor([[[1.0, 2.0], [0.0, 0.0]]]))
    with pytest.raises(ConfigError, match="no action statistics of source 'x'; there are memory"):
        objective.scaling(torch.zeros(1, 4), "x", num_steps=2)
    with pytest.raises(ConfigError, match="num_context of inverse_dynamics must be at least 2, got 1"):
        InverseDynamics(tiny_encoder(), num_context=1)
    with pytest.raises(ConfigError, match="needs actions, and source 'memory' has none"):
        objective(clips(objective, actions=False))
    assert not objective.serves(clips(objective, actions=False))


def test_an_unknown_frame_loss_is_refused() -> None:
    with pytest.raises(ConfigError, match="loss of future_frames must be psnr or mse, got 'l7'"):
        FutureFrames(tiny_encoder(), loss="l7")
    with pytest.raises(ConfigError, match=r"block_px of future_frames is 3; it must divide image_size \(32, 32\)"):
        FutureFrames(tiny_encoder(), block_px=3)


def test_variance_and_covariance_are_those_of_slow_loops() -> None:
    features = torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows = features.numpy()
    hinge = np.mean([max(0.0, 1 - np.sqrt(rows[:, d].var(ddof=1) + 1e-4)) for d in range(4)])
    assert float(variance_term(features)) == pytest.approx(hinge, rel=1e-9)
    total = 0.0
    for i in range(4):
        for j in range(4):
            if i != j:
                total += np.cov(rows[:, i], rows[:, j])[0, 1] ** 2
    assert float(covariance_term(features)) == pytest.approx(total / 4, rel=1e-9)
    assert float(variance_term(torch.ones(5, 3))) == pytest.approx(1 - 1e-2), "collapsed features cost the most"


def test_the_slow_copy_moves_by_its_momentum_and_never_learns() -> None:
    encoder = tiny_encoder()
    copy = EmaCopy(encoder)
    before = [parameter.clone() for parameter in copy.module.parameters()]
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(1.0)
    copy.update(encoder, momentum=0.9)
    for old, new in zip(before, copy.module.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.1)
        assert not new.requires_grad
    assert momentum_at(0, 10, base=0.9) == pytest.approx(0.9)
    assert momentum_at(10, 10, base=0.9) == 1.0


def test_future_features_keeps_features_spread_where_prediction_alone_collapses() -> None:
    def spread(weight: float) -> float:
        torch.manual_seed(0)
        objective = FutureFeatures(
            tiny_encoder(pooling="spatial_softmax"),
            horizons=(1, 3),
            variance_weight=weight,
            covariance_weight=weight / 25,
        )
        optimizer = torch.optim.Adam(objective.parameters(), 3e-3)
        batch = clips(objective, num=6)
        for step in range(60):
            output = objective(batch)
            optimizer.zero_grad()
            output.loss.backward()
            optimizer.step()
            objective.after_step(step, 60)
        return output.metrics["variance"]

    assert spread(1.0) < 0.5 * spread(0.0)


def test_a_joint_mean_counts_only_what_is_valid() -> None:
    values, valid = torch.tensor([1.0, float("nan"), 3.0]), torch.tensor([True, False, True])
    assert float(joint_mean(values, valid)) == 2.0
    assert float(joint_mean(values, torch.zeros(3, dtype=torch.bool))) == 0.0


def test_frames_are_encoded_once_however_often_they_are_asked_for() -> None:
    objective = FutureFrames(tiny_encoder(), **FRAMES)
    encoded = EncodedBatch(objective.encoder, clips(objective))
    again = encoded.renamed({"mine": "context"})
    assert again.feature_map("mine") is encoded.feature_map("context")
    assert again.features("mine") is encoded.features("context")
    assert again.has("mine")
    assert not again.has("theirs")
