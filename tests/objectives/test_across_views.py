"""Tasks along time whose later frames come from another view: as if that view had been the only one for them."""

from dataclasses import replace

import pytest
import torch
from tiny_methods import METHODS, OLDER, SHORT, STATS, batch_for, rows_of

from robossl.encoders import build_encoder
from robossl.objectives import Objective, build_objective

OTHER = {
    # task: group, and which places of it are taken from the other view
    "augmented_time_contrast": ("positive", slice(None)),
    "tcn_n_pairs": ("positive", slice(None)),
    "tcn_triplet": ("positive", slice(None)),
    "slow_features": ("positive", slice(None)),
    "r3m": ("ordered", slice(1, 2)),
    "implicit_value": ("way", slice(3, 4)),
    "self_prediction": ("future", slice(None)),
    "latent_rollout": ("target", slice(None)),
    "forward_dynamics": ("target", slice(None)),
    "future_features": ("target", slice(None)),
    "inverse_dynamics": ("context", slice(1, None)),
}


def tiny(name: str, **changes: object) -> Objective:
    torch.manual_seed(0)
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2))
    return build_objective(name, encoder, {**(METHODS | OLDER)[name], **changes}, action_stats=STATS)


@pytest.mark.parametrize("name", OTHER)
def test_the_loss_is_that_of_clips_whose_later_frames_were_seen_by_the_other_view(name: str) -> None:
    across, within = tiny(name, across_views=True), tiny(name)
    batch = batch_for(across, lengths=SHORT)
    assert across.window.num_views == 2
    group, places = OTHER[name]
    span = batch.groups[group]
    moved = torch.arange(batch.pixels.shape[2])[span][places]
    pixels = batch.pixels.clone()
    pixels[:, 0, moved] = batch.pixels[:, 1, moved]
    assert not torch.equal(pixels, batch.pixels)
    loss = within(replace(batch, pixels=pixels)).loss
    assert torch.allclose(across(batch).loss, loss, rtol=1e-5)
    assert not torch.allclose(within(batch).loss, loss, rtol=1e-3)


def test_a_summary_tells_the_latents_of_the_other_view() -> None:
    across, within = tiny("predictive_coding", across_views=True), tiny("predictive_coding")
    batch = batch_for(across)
    alike = replace(batch, pixels=batch.pixels[:, :1].expand(-1, 2, -1, -1, -1, -1))
    assert torch.allclose(across(alike).loss, within(batch).loss, rtol=1e-5)
    assert not torch.allclose(across(batch).loss, within(batch).loss, rtol=1e-3)


def test_a_cycle_through_the_other_view_is_one_between_two_clips() -> None:
    across, within = tiny("cycle_consistency", across_views=True), tiny("cycle_consistency")
    clip = rows_of(batch_for(across), [0])
    turned = replace(clip, pixels=clip.pixels.flip(1))
    two = rows_of(clip, [0, 0])
    two = replace(two, pixels=torch.cat([clip.pixels, turned.pixels]))
    assert torch.allclose((across(clip).loss + across(turned).loss) / 2, within(two).loss, rtol=1e-5)
