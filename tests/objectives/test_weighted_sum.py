"""A sum of objectives is the sum of its parts, on what each source can give."""

from dataclasses import replace

import pytest
import torch
from memory_source import MemorySource
from tiny_pretraining import ALL, STATS, tiny_objective

from robossl.data.clip_dataset import ClipDataset
from robossl.encoders import build_encoder
from robossl.errors import ConfigError
from robossl.objectives import Ramp, WeightedSum, build_objective, build_objectives


def batch_for(objective, *, looks: int = 2, actions: bool = True):
    window = objective.window_for("memory", num_views=looks, has_actions=actions)
    source = MemorySource(looks=looks, actions=actions)
    dataset = ClipDataset(source, window, seed=0, views=source.cameras)
    return replace(dataset.batch(range(4), positions=range(4)), source="memory")


def test_the_loss_is_the_weighted_sum_of_losses() -> None:
    objective = tiny_objective()
    output = objective(batch_for(objective))
    parts = sum(weight * output.metrics[f"{name}/loss"] for name, weight, _ in ALL)
    assert float(output.loss.detach()) == pytest.approx(parts, rel=1e-5)


def test_a_member_gets_the_same_loss_as_on_its_own() -> None:
    objective = tiny_objective()
    together = objective(batch_for(objective)).metrics
    for name, member in objective.members.items():
        source = MemorySource()
        dataset = ClipDataset(source, member.window, seed=0, views=source.cameras)
        # the number of items depends on the window: take the same episodes and positions
        clips = ClipDataset(source, objective.window_for(num_views=2, has_actions=True), seed=0, views=source.cameras)
        items = [int((dataset.episode_of_item == clips.episode_of_item[i]).argmax()) for i in range(4)]
        alone = member(replace(dataset.batch(items, positions=range(4)), source="memory")).loss
        assert float(alone.detach()) == pytest.approx(together[f"{name}/loss"], rel=1e-4), name


@pytest.mark.parametrize(
    ("looks", "actions", "expected"),
    [
        (2, True, {name for name, _, _ in ALL}),
        (1, True, {name for name, _, _ in ALL} - {"paired_looks"}),
        (1, False, {"time_contrast", "future_frames", "future_features"}),
    ],
)
def test_what_a_source_cannot_feed_is_skipped(looks: int, actions: bool, expected: set) -> None:
    objective = tiny_objective()
    batch = batch_for(objective, looks=looks, actions=actions)
    assert set(objective.served(batch)) == expected
    output = objective(batch)
    output.loss.backward()
    assert {key.split("/")[0] for key in output.metrics} == expected


def test_a_source_meant_for_one_objective_reads_only_its_frames() -> None:
    objective = tiny_objective()
    objective.restrict("memory", ["time_contrast"])
    batch = batch_for(objective)
    assert objective.served(batch) == ["time_contrast"]
    assert batch.pixels.shape[2] == 6
    with pytest.raises(ConfigError, match=r"no objective 'time_contrst' in this run.*did you mean 'time_contrast'"):
        objective.restrict("memory", ["time_contrst"])
    objective.restrict("video", ["paired_looks", "inverse_dynamics"])
    with pytest.raises(ConfigError, match=r"1 view\(s\) and no actions can feed none of paired_looks, inverse_dyn"):
        objective.window_for("video", num_views=1, has_actions=False)


def test_biases_and_norms_do_not_decay_and_every_trained_parameter_is_in_one_group() -> None:
    objective = tiny_objective()
    groups = objective.param_groups()
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    trained = {id(parameter) for parameter in objective.parameters() if parameter.requires_grad}
    assert len(listed) == len(set(listed))
    assert set(listed) == trained
    assert groups[1]["weight_decay"] == 0.0


def test_the_moving_average_is_the_encoder_to_keep() -> None:
    objective = tiny_objective()
    assert objective.best_encoder is not objective.encoder
    with torch.no_grad():
        for parameter in objective.encoder.parameters():
            parameter.add_(1.0)
    for step in range(200):
        objective.after_step(step, 200)
    for kept, trained in zip(objective.best_encoder.parameters(), objective.encoder.parameters(), strict=True):
        torch.testing.assert_close(kept, trained, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("specs", "text"),
    [
        ((), "objectives is empty"),
        ((("time_contrast", 1.0, {}), ("time_contrast", 1.0, {})), "has a name twice"),
        ((("time_contrast", 0.0, {}),), "weight of objective 'time_contrast' must be positive"),
        ((("time_contast", 1.0, {}),), "objective 'time_contast' is unknown.*did you mean 'time_contrast'"),
        ((("time_contrast", 1.0, {"temprature": 1}),), "no argument 'temprature'.*did you mean 'temperature'"),
        ((("time_contrast", 1.0, {"temperature": "hot"}),), "temperature: input should be a valid number, got 'hot'"),
        ((("paired_looks", 1.0, {"temperature": -1.0}),), "temperature: input should be greater than 0, got -1.0"),
        ((("future_frames", 1.0, {"action_stats": 1}),), "no argument 'action_stats'"),
    ],
)
def test_wrong_sums_are_refused(specs: tuple, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        build_objectives(specs, build_encoder("conv"))


def test_objectives_on_different_encoders_are_refused() -> None:
    first, second = (build_objective("time_contrast", build_encoder("conv"), action_stats=STATS) for _ in range(2))
    with pytest.raises(ConfigError, match="'b' has another encoder"):
        WeightedSum([("a", 1.0, first), ("b", 1.0, second)])


def test_a_weight_goes_in_a_line_from_its_start_to_its_end() -> None:
    objective = tiny_objective(ALL[:2], ramps={"time_contrast": Ramp(0.1, 4)})
    seen = []
    for step in range(6):
        seen.append(objective.weight("time_contrast"))
        assert objective.weight("paired_looks") == 1.0
        objective.after_step(step, 6)
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
    assert "steps.step" in objective.state_dict()
    assert "steps.step" not in tiny_objective(ALL[:2]).state_dict(), "as in checkpoints before there were any"
