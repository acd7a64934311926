"""What future frames are conditioned on: commands up to the target and no later, and lengths that close at rest."""

from dataclasses import replace

import torch
from memory_source import MemorySource

from robossl.data.clip_dataset import ClipDataset
from robossl.encoders import build_encoder
from robossl.objectives import ActionStats, FutureFrames, RobotTrack
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_conditioning import FrameConditioning

STATS = {"arm": ActionStats(mean=[0.5, 0.0], std=[0.5, 2.0], state_mean=[1.0], state_std=[0.1])}
CONTEXT = torch.zeros(1, 3, 3, 8, 8)
BEFORE, FURTHEST = 4, 30


def conditioning(*, noise: float = 0.0) -> FrameConditioning:
    torch.manual_seed(0)
    return FrameConditioning(8, num_before=BEFORE, max_horizon=FURTHEST, action_stats=STATS, noise=noise)


def track(actions: torch.Tensor | None = None) -> RobotTrack:
    given = torch.randn(1, BEFORE + FURTHEST, 2) if actions is None else actions
    return RobotTrack(actions=given, states=torch.randn(1, 3, 1))


def test_commands_after_a_target_do_not_count() -> None:
    module, known, horizon = conditioning(), track(), torch.tensor([[6, 30]])
    later = known.actions.clone()
    later[:, BEFORE + 6 :] += 1
    before = module(horizon, CONTEXT, known, "arm")
    after = module(horizon, CONTEXT, RobotTrack(actions=later, states=known.states), "arm")
    for name in ("vector", "openness"):
        assert torch.equal(getattr(before, name)[:, 0], getattr(after, name)[:, 0])
        assert not torch.allclose(getattr(before, name)[:, 1], getattr(after, name)[:, 1])


def test_commands_are_counted_back_from_the_target_and_from_now() -> None:
    places = conditioning()._places(torch.tensor([[0, 6, 30]]))[0].tolist()
    assert places[0] == [3, 1, 0, 0, 0, 0], "none before the context"
    assert places[1] == [9, 7, 5, 3, 1, 0]
    assert places[2] == [33, 31, 29, 27, 25, 22]


def test_openness_hears_lengths_only() -> None:
    """A robot that rests elsewhere is as much at rest: where it is must not open the gate."""
    module, horizon = conditioning(), torch.tensor([[6]])
    here, there = (torch.full((1, BEFORE + FURTHEST, 2), value) for value in (0.0, 0.7))
    states = torch.zeros(1, 3, 1)
    rests = [module(horizon, CONTEXT, RobotTrack(actions=a, states=states + a[0, 0, 0]), "arm") for a in (here, there)]
    torch.testing.assert_close(rests[0].openness, rests[1].openness, atol=1e-5, rtol=0)
    assert not torch.allclose(rests[0].vector, rests[1].vector)
    moves = here.clone()
    moves[:, BEFORE:] = 0.7
    moving = module(horizon, CONTEXT, RobotTrack(actions=moves, states=states), "arm").openness
    assert float((moving - rests[0].openness).abs().detach()) > 1e-3


def test_the_state_counts_and_an_unknown_source_has_only_the_horizon() -> None:
    module, known, horizon = conditioning(), track(), torch.tensor([[6, 15]])
    moved = RobotTrack(actions=known.actions, states=known.states + 1)
    assert not torch.allclose(
        module(horizon, CONTEXT, known, "arm").vector, module(horizon, CONTEXT, moved, "arm").vector
    )
    unknown = module(horizon, CONTEXT, known, "another")
    assert torch.equal(unknown.vector, module(horizon, CONTEXT, None, "").vector)
    assert not torch.allclose(unknown.vector[:, 0], unknown.vector[:, 1])


def test_noise_is_for_training_only_and_shakes_no_way() -> None:
    module, known, horizon = conditioning(noise=0.5), track(), torch.tensor([[6]])
    shaken = [module(horizon, CONTEXT, known, "arm") for _ in range(2)]
    assert not torch.allclose(shaken[0].vector, shaken[1].vector)
    assert torch.equal(shaken[0].openness, shaken[1].openness), "how far commands go is kept"
    module.eval()
    calm = [module(horizon, CONTEXT, known, "arm").vector for _ in range(2)]
    assert torch.equal(calm[0], calm[1])
    assert torch.equal(calm[0], conditioning()(horizon, CONTEXT, known, "arm").vector)


def test_the_track_of_a_batch_is_every_action_from_the_first_context_frame_on() -> None:
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2))
    stats = {"memory": ActionStats(mean=[0.0, 0.0], std=[0.5, 0.5])}
    objective = FutureFrames(encoder, num_context=3, frame_stride=2, horizons=(1, 5), widths=(8,), action_stats=stats)
    source = MemorySource()
    dataset = ClipDataset(source, objective.window, seed=0, views=("front",))
    batch = replace(dataset.batch([0, 1], positions=[0, 1]), source="memory")
    found = objective._track(EncodedBatch(encoder, batch))
    for row, (episode, first) in enumerate(zip(batch.episode_id.tolist(), batch.indices[:, 0].tolist(), strict=True)):
        expected = torch.from_numpy(source.values(episode, range(first, first + 4 + 5), "action"))
        torch.testing.assert_close(found.actions[row], expected)
        states = torch.from_numpy(source.values(episode, [first, first + 2, first + 4], "observation.state"))
        torch.testing.assert_close(found.states[row], states)
