"""Policies that see the pictures of several steps: they learn what one does not tell, and act as they learned."""

from typing import Any

import numpy as np
import pytest
import torch

from robossl.encoders import build_encoder
from robossl.policies.agents import ClonedPolicy
from robossl.policies.behaviour_cloning import BehaviourCloning, CloningRecipe
from robossl.policies.demonstrations import Demonstrations
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import ExecutionSpec

LENGTH, EPISODES, SIZE = 8, 30, 16


def _demonstrations() -> Demonstrations:
    """A bright bar jumps about; the action is how far it came since the step before."""
    rng = np.random.default_rng(0)
    places = rng.integers(0, SIZE - 2, (EPISODES, LENGTH))
    pixels = np.zeros((EPISODES * LENGTH, 1, 3, SIZE, SIZE), np.uint8)
    for row, place in enumerate(places.ravel()):
        pixels[row, ..., place : place + 3] = 255
    moved = np.diff(places, axis=1, prepend=places[:, :1]).ravel() / SIZE
    return Demonstrations(
        pixels=pixels,
        cameras=("front",),
        proprio=np.zeros((len(pixels), 1), np.float32),
        environment_state=None,
        chunks=moved.astype(np.float32)[:, None, None],
        valid=np.ones((len(pixels), 1), bool),
        episode=np.repeat(np.arange(EPISODES), LENGTH),
        step=np.tile(np.arange(LENGTH), EPISODES),
    )


def _cloned(
    kind: Any, num_observation_steps: int, *, mode: Any = "frozen", num_steps: int = 400, **augmentation: Any
) -> PolicyNetwork:
    torch.manual_seed(0)
    encoder = build_encoder("conv", image_size=SIZE, feature_dim=16, widths=(8, 16))
    spec = HeadSpec(
        proprio_dim=1, state_dim=0, action_dim=1, chunk_length=1, hidden=(64,), kind=kind,
        num_observation_steps=num_observation_steps,
    )  # fmt: skip
    network = PolicyNetwork(spec, encoder=encoder, cameras=("front",))
    augmentation = {"num_augmentations": 0, "shift_px": 0, "jitter": 0} | augmentation
    recipe = CloningRecipe(num_steps=num_steps, batch_size=64, learning_rate=3e-3, **augmentation)
    BehaviourCloning(network, _demonstrations(), mode=mode, recipe=recipe).fit()
    return network.eval()


def _acted(network: PolicyNetwork, demonstrations: Demonstrations) -> np.ndarray:
    """Return what the policy does when it is shown two episodes at once, step by step."""
    policy = ClonedPolicy(network, ExecutionSpec())
    frames = demonstrations.pixels.reshape(EPISODES, LENGTH, 3, SIZE, SIZE)[:2]  # type: ignore[union-attr]
    actions = [
        policy.act({"pixels": {"front": frames[:, step].transpose(0, 2, 3, 1)}, "agent_pos": np.zeros((2, 1))})
        for step in range(LENGTH)
    ]
    return np.stack(actions, axis=1).reshape(-1)


def _error(network: PolicyNetwork) -> float:
    demonstrations = _demonstrations()
    wanted = demonstrations.chunks[: 2 * LENGTH].reshape(-1)
    return float(np.abs(_acted(network, demonstrations) - wanted).mean() / np.abs(wanted).mean())


@pytest.mark.parametrize("kind", ["mlp", "recurrent"])
def test_a_policy_that_sees_the_step_before_learns_what_moved(kind: str) -> None:
    assert _error(_cloned(kind, 2)) < 0.3


@pytest.mark.parametrize("mode", ["frozen", "finetuned"])
def test_augmentations_leave_what_moved_as_it_was(mode: str) -> None:
    assert _error(_cloned("recurrent", 2, mode=mode, num_augmentations=8, shift_px=2, jitter=0.15)) < 0.05


def test_one_picture_does_not_tell_what_moved() -> None:
    assert _error(_cloned("mlp", 1)) > 0.4


@pytest.mark.parametrize("kind", ["mlp", "recurrent", "transformer"])
def test_a_policy_acts_on_what_it_was_trained_on(kind: str) -> None:
    demonstrations = _demonstrations()
    network = _cloned(kind, 3, mode="finetuned", num_steps=3)
    rows = demonstrations.past(3)[: 2 * LENGTH]
    views = torch.from_numpy(demonstrations.pixels[rows].reshape(2 * LENGTH, 3, 3, SIZE, SIZE))  # type: ignore[index]
    seen = network(pixels=views, proprio=torch.zeros(2 * LENGTH, 1)).detach()
    np.testing.assert_allclose(_acted(network, demonstrations), seen.numpy().reshape(-1), atol=1e-5)


def test_before_a_first_step_lies_its_own_copy() -> None:
    past = _demonstrations().past(3)
    assert past[:4].tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]
    assert past[LENGTH].tolist() == [LENGTH] * 3
