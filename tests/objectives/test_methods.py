"""What holds of every pretext task: its formula, what it must not see, and who is never a negative."""

from dataclasses import replace

import pytest
import slow_contrast  # noqa: F401 (fills SLOW)
import slow_features  # noqa: F401
import slow_frames  # noqa: F401
import torch
from slow import SLOW, Frames
from tiny_methods import LONG, METHODS, SHORT, batch_for, rows_of, tiny_method

from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.masking import on_pixels
from robossl.types import ClipBatch

PREDICTIONS = {
    # task: module whose output is the prediction, group that it must not see
    "augmented_time_contrast": ("bilinear", "positive"),
    "curl": ("bilinear", "again"),
    "self_prediction": ("predictor", "future"),
    "byol": ("predictor", "again"),
    "latent_rollout": ("dynamics", "target"),
    "forward_dynamics": ("dynamics", "target"),
    "recurrent_frames": ("decoder", "target"),
    "parallel_frames": ("decoder", "target"),
    "stochastic_frames": ("prior", "target"),
}
CONTRASTS = {
    "r3m": {},
    "tcn_n_pairs": {"num_anchors": 1, "length_weight": 0.0},
    "augmented_time_contrast": {},
    "curl": {"num_instants": 1},
    "simclr": {"num_instants": 1},
}


@pytest.mark.parametrize("lengths", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("name", METHODS)
def test_the_loss_is_that_of_a_slow_loop(name: str, lengths: tuple[int, ...]) -> None:
    """The loop encodes frames one at a time, so this also shows that no frame's features see another frame."""
    objective = tiny_method(name)
    batch = batch_for(objective, lengths=lengths)
    assert (lengths is LONG) or not batch.valid.all()
    loss = float(objective(batch).loss.detach())
    assert loss == pytest.approx(SLOW[name](objective, Frames(objective, batch)), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_gradients_are_finite_and_reach_the_encoder_also_where_episodes_are_too_short(name: str) -> None:
    objective = tiny_method(name)
    objective(batch_for(objective, lengths=(1, 2, 14, 20))).loss.backward()
    gradients = [p.grad for p in objective.encoder.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_a_prediction_does_not_see_what_it_predicts(name: str) -> None:
    objective = tiny_method(name)
    batch = batch_for(objective)
    module, hidden = PREDICTIONS[name]
    seen = []
    objective.get_submodule(module).register_forward_hook(
        lambda m, i, output: seen.append((output if isinstance(output, torch.Tensor) else output.mean).detach())
    )
    before = objective(batch).loss
    num = 1 if name in ("byol", "stochastic_frames") else len(seen)  # their later calls may see what came before
    blind, seen[:] = seen[:num], []
    after = objective(replace(batch, pixels=inverted(batch, batch.groups[hidden]))).loss
    assert all(torch.equal(a, b) for a, b in zip(blind, seen[:num], strict=True))
    assert not torch.allclose(before, after), "the loss has to see it"


def inverted(batch: ClipBatch, frames: slice) -> torch.Tensor:
    """Pixels of which some frames are negatives of themselves."""
    pixels = batch.pixels.clone()
    pixels[:, :, frames] = 255 - pixels[:, :, frames]
    return pixels


@pytest.mark.parametrize("name", ["masked_video", "masked_latents"])
def test_what_is_hidden_is_not_seen(name: str) -> None:
    objective = tiny_method(name)
    batch = batch_for(objective)
    mask = on_pixels(objective.mask(EncodedBatch(objective.encoder, batch)), objective.block_px)
    assert 0.1 < float(mask.double().mean()) < 0.9
    seen = []
    objective.encoder.register_forward_hook(lambda m, i, output: seen.append(output.detach()))
    before = objective(batch).loss
    noise = torch.randint_like(batch.pixels, 256)
    after = objective(replace(batch, pixels=torch.where(mask[:, None, None, None], noise, batch.pixels))).loss
    assert torch.equal(seen[0], seen[-1])
    assert not torch.allclose(before, after)


def test_other_look_sees_the_second_view_at_another_instant_only() -> None:
    objective = tiny_method("other_look")
    batch = batch_for(objective)
    seen = []
    objective.decoder.register_forward_hook(lambda m, i, output: seen.append(output.detach()))
    objective(batch)
    pixels = batch.pixels.clone()
    pixels[:, 1, batch.groups["anchor"]] = 7
    objective(replace(batch, pixels=pixels))
    assert torch.equal(*seen)


def test_predictive_coding_sums_up_no_later_frame() -> None:
    objective = tiny_method("predictive_coding")
    batch = batch_for(objective)
    seen = []
    objective.summary.register_forward_hook(lambda m, i, output: seen.append(output[0].detach()))
    objective(batch)
    objective(replace(batch, pixels=inverted(batch, slice(-1, None))))
    torch.testing.assert_close(seen[0][:, :-1], seen[1][:, :-1], rtol=0, atol=1e-12)
    assert not torch.allclose(seen[0][:, -1], seen[1][:, -1])


@pytest.mark.parametrize("name", CONTRASTS)
def test_nothing_is_a_negative_of_itself_or_of_its_copies(name: str) -> None:
    """Copies of one clip cost as much as one: were an anchor its own negative, each copy would add one."""
    objective = tiny_method(name, **CONTRASTS[name])
    batch = batch_for(objective)
    alone, copies = objective(rows_of(batch, [1])).loss, objective(rows_of(batch, [1, 1, 1])).loss
    torch.testing.assert_close(alone, copies)
    assert float(objective(rows_of(batch, [1, 2, 3])).loss.detach()) > float(alone.detach()), (
        "other episodes are negatives"
    )
