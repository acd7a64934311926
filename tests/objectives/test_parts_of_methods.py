"""Symmetries, limits and closed forms of what pretext tasks are made of."""

import math

import pytest
import torch
from tiny_methods import LONG, METHODS, STATS, batch_for, tiny_method

from robossl.encoders import Encoder
from robossl.errors import ConfigError
from robossl.objectives import build_objective
from robossl.objectives.parts.barlow import redundancy
from robossl.objectives.parts.cycle import cycle_errors
from robossl.objectives.parts.discriminator import Discriminator
from robossl.objectives.parts.implicit_value import implicit_value_loss
from robossl.objectives.parts.masking import blocks_of, hidden, random_mask, rectangle_mask
from robossl.objectives.parts.ordered import ordered_contrast
from robossl.objectives.parts.sigreg import epps_pulley, sigreg
from robossl.objectives.parts.stochastic import Normal, divergence
from robossl.objectives.parts.triplet import triplet_loss


def normals(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def test_epps_pulley_is_its_closed_form() -> None:
    """Integrated over the whole line, sums of Gaussians are left (the pairs in place of the integral)."""
    x = normals(40, 3) * 1.3 + 0.2
    found = epps_pulley(x, reach=12.0, num_knots=4001)
    for column, value in zip(x.T, found, strict=True):
        n = len(column)
        pairs = sum(math.exp(-(float(a - b) ** 2) / 2) for a in column for b in column) / n**2
        alone = sum(math.exp(-(float(a) ** 2) / 4) for a in column) / n * math.sqrt(2)
        exact = n * math.sqrt(2 * math.pi) * (pairs - alone + 1 / math.sqrt(3))
        assert float(value) == pytest.approx(exact, rel=1e-6)


def test_sigreg_does_not_see_rotations_much_and_finds_a_collapse() -> None:
    def value(rows: torch.Tensor) -> float:
        return float(sigreg(rows, generator=torch.Generator().manual_seed(0), num_directions=500))

    rows = normals(200, 4)
    turned = rows @ torch.linalg.qr(normals(4, 4))[0]
    assert value(turned) == pytest.approx(value(rows), rel=0.1)
    one_point, spread = value(torch.zeros(200, 4, dtype=torch.float64)), value(3 * rows)
    assert one_point > 20 * value(rows)
    assert spread > 5 * value(rows)
    assert value(rows[:1]) == 0.0


def test_the_mean_over_parts_is_not_sigreg() -> None:
    """Why it takes the rows of all ranks: a half has half the statistic and its own fluctuations."""
    rows = normals(64, 4)
    whole, *halves = (
        float(sigreg(part, generator=torch.Generator().manual_seed(0))) for part in (rows, rows[:32], rows[32:])
    )
    assert sum(halves) / 2 != pytest.approx(whole, rel=0.01)


def test_redundancy_is_symmetric_in_the_looks_and_nothing_for_equal_independent_dimensions() -> None:
    first, second = normals(30, 5), normals(30, 5)
    torch.testing.assert_close(redundancy(first, second, off_weight=0.1), redundancy(second, first, off_weight=0.1))
    whitened = torch.linalg.qr(first - first.mean(dim=0))[0] * math.sqrt(30)
    assert float(redundancy(whitened, 3 * whitened + 1, off_weight=1.0)) == pytest.approx(0, abs=1e-7)


def test_a_clip_that_goes_to_a_copy_of_itself_comes_back_where_it_started() -> None:
    clip = 10 * torch.eye(6, dtype=torch.float64)[None]
    valid = torch.ones(1, 6, dtype=torch.bool)
    settings = {"valid": valid, "back_valid": valid, "temperature": 0.1}
    errors = cycle_errors(clip, clip, variance_weight=0.0, **settings)
    assert float(errors.max()) < 1e-6
    alike = torch.ones_like(clip)  # all frames alike: the place is the mean, its variance that of uniform places
    places = torch.arange(6) / 6
    expected = (places - places.mean()).square() / places.var(correction=0)
    torch.testing.assert_close(
        cycle_errors(alike, alike, variance_weight=0.0, **settings)[0].float(), expected, rtol=1e-5, atol=1e-6
    )


def test_the_contrast_of_ordered_frames_is_the_same_backwards() -> None:
    frames, episode, valid = normals(4, 3, 5), torch.arange(4), torch.ones(4, dtype=torch.bool)
    loss, _ = ordered_contrast(frames, episode=episode, valid=valid)
    torch.testing.assert_close(ordered_contrast(frames.flip(1), episode=episode, valid=valid)[0], loss)
    alike = ordered_contrast(torch.ones_like(frames), episode=episode, valid=valid)[0]
    assert float(alike) == pytest.approx(math.log(2 + 3)), "all alike: the logarithm of the candidates"


def test_triplets_cost_nothing_beyond_the_margin_and_the_margin_where_all_is_alike() -> None:
    a, far, valid = normals(5, 3), normals(5, 3) + 50, torch.ones(5, dtype=torch.bool)
    assert float(triplet_loss(a, a, far, valid=valid, margin=2.0)[0]) == 0.0
    assert float(triplet_loss(a, a, a, valid=valid, margin=2.0)[0]) == 2.0


def test_the_implicit_value_of_features_that_are_alike_is_the_reward() -> None:
    rows, valid = torch.ones(4, 3, dtype=torch.float64), torch.ones(4, dtype=torch.bool)
    loss = implicit_value_loss(rows, rows, rows, rows, valid=valid, discount=0.98)
    assert float(loss) == pytest.approx(1.0, abs=1e-6), "log exp(-r) with r = -1"
    assert float(implicit_value_loss(rows, rows, rows, rows, valid=~valid, discount=0.98)) == 0.0


def test_a_divergence_is_zero_for_equals_and_that_of_torch() -> None:
    a, b = (Normal(mean=normals(6, 3), log_variance=normals(6, 3)) for _ in range(2))
    assert float(divergence(a, a).abs().max()) == pytest.approx(0.0, abs=1e-12)
    kinds = [torch.distributions.Normal(x.mean, (x.log_variance / 2).exp()) for x in (a, b)]
    torch.testing.assert_close(divergence(a, b), torch.distributions.kl_divergence(*kinds).sum(dim=-1))


def test_each_side_of_the_game_moves_only_its_own_weights() -> None:
    judge, drawn = Discriminator().double(), normals(2, 3, 16, 16).requires_grad_()
    last, truth = normals(2, 3, 16, 16), normals(2, 3, 16, 16)
    judge.fooled_loss(last, drawn).sum().backward()
    assert drawn.grad is not None
    assert drawn.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in judge.parameters())
    drawn.grad = None
    judge.own_loss(last, drawn, truth).sum().backward()
    assert drawn.grad is None
    assert all(parameter.grad is not None for parameter in judge.parameters())


def test_the_discriminator_has_an_optimizer_group_of_its_own() -> None:
    objective = tiny_method("adversarial_frames", discriminator_rate=0.5)
    *others, own = objective.param_groups()
    assert own["lr_scale"] == 0.5
    assert {id(p) for p in own["params"]} == {id(p) for p in objective.discriminator.parameters()}
    listed = [id(p) for group in (*others, own) for p in group["params"]]
    assert len(listed) == len(set(listed)) == sum(p.requires_grad for p in objective.parameters())


@pytest.mark.parametrize(
    ("name", "copied"),
    [
        ("recurrent_frames", "copy"),
        ("parallel_frames", "copy"),
        ("stochastic_frames", "copy"),
        ("adversarial_frames", "copy"),
        ("other_look", "reference"),
    ],
)
def test_what_draws_a_change_starts_as_a_copy(name: str, copied: str) -> None:
    objective = build_objective(name, tiny_method(name).encoder, METHODS[name], action_stats=STATS).double()
    metrics = objective(batch_for(objective)).metrics
    assert metrics["psnr_db"] == pytest.approx(metrics[f"{copied}_psnr_db"])


@pytest.mark.parametrize("name", ["vicreg", "barlow_twins", "gaussian_embedding", "simclr", "byol"])
def test_two_looks_are_exchangeable(name: str) -> None:
    objective = tiny_method(name)
    batch = batch_for(objective)
    spans = [batch.groups[group] for group in ("anchor", "again")]
    pixels = batch.pixels.clone()
    pixels[:, 0, spans[1]] = batch.pixels[:, 1, spans[1]]  # a second look that is another one
    exchanged = pixels.clone()
    exchanged[:, :, spans[0]], exchanged[:, :, spans[1]] = pixels[:, :, spans[1]], pixels[:, :, spans[0]]
    batch.pixels.copy_(pixels)
    loss = objective(batch).loss
    batch.pixels.copy_(exchanged)
    torch.testing.assert_close(objective(batch).loss, loss)


def test_the_order_of_frames_costs_the_same_backwards() -> None:
    objective = tiny_method("frame_order")
    batch = batch_for(objective, lengths=LONG)
    loss = objective(batch).loss
    batch.pixels.copy_(batch.pixels.flip(2))
    torch.testing.assert_close(objective(batch).loss, loss)


def test_a_random_mask_hides_the_same_share_everywhere_and_never_all() -> None:
    numbers = torch.rand(5, 24)
    for share, count in ((0.5, 12), (0.001, 1), (0.999, 23)):
        mask = random_mask(numbers, grid=(4, 6), share=share)
        assert mask.shape == (5, 4, 6)
        assert (mask.flatten(1).sum(dim=1) == count).all()


def test_rectangles_lie_inside_and_leave_something() -> None:
    numbers = torch.rand(50, 2, 3)
    mask = rectangle_mask(numbers, grid=(8, 8), share=0.2)
    hidden_share = mask.double().flatten(1).mean(dim=1)
    assert ((hidden_share > 0.1) & (hidden_share < 0.6)).all()
    assert not rectangle_mask(numbers, grid=(2, 2), share=0.99).flatten(1).all(dim=1).any()


def test_hidden_blocks_are_grey_and_blocks_are_cut_where_masks_say() -> None:
    pixels = torch.randint(0, 100, (1, 2, 3, 8, 12), dtype=torch.uint8)
    mask = torch.zeros(1, 2, 3, dtype=torch.bool)
    mask[0, 1, 2] = True
    painted = hidden(pixels, mask, block_px=4)
    assert (painted[..., 4:, 8:] == 128).all()
    painted[..., 4:, 8:] = pixels[..., 4:, 8:]
    assert torch.equal(painted, pixels)
    blocks = blocks_of(pixels, 4)
    assert blocks.shape == (1, 2, 2, 3, 3, 16)
    assert torch.equal(blocks[0, 1, 1, 2], pixels[0, 1, :, 4:, 8:].flatten(1))


class Mapless(Encoder):
    """Somebody's encoder that gives features at once."""

    def __init__(self, *, flat: bool) -> None:
        super().__init__(
            architecture="mapless", arguments={}, image_size=32, feature_dim=8, mean=(0.5,) * 3, std=(0.25,) * 3
        )
        self.flat = flat
        self.linear = torch.nn.Linear(3, 8)

    def map_from_input(self, images: torch.Tensor) -> torch.Tensor:
        if self.flat:
            return self.linear(images.mean(dim=(2, 3)))
        raise NotImplementedError


@pytest.mark.parametrize("name", ["future_frames", "parallel_frames", "masked_latents"])
@pytest.mark.parametrize("flat", [True, False])
def test_an_encoder_without_a_feature_map_is_refused_when_the_task_is_built(name: str, flat: bool) -> None:
    with pytest.raises(
        ConfigError, match=r"encoder 'mapless' has no feature map .* which this objective needs"
    ) as error:
        build_objective(name, Mapless(flat=flat))
    assert "\n" not in str(error.value)
