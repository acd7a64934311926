"""The shipped YAML files are the recipe of demo and benchmark, so that going stage by stage gives the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from robossl.commands import COMMANDS
from robossl.config.load import dump_values, load_config
from robossl.config.recipe import (
    RecipeConfig,
    demonstrations_config,
    evaluate_config,
    finetune_config,
    play_config,
    pretrain_config,
    probe_data_config,
)

CONFIGS = Path(__file__).parents[2] / "configs"
COMMAND_OF = {"policy": "finetune", "sweeps": "sweep"}
"""Folder to the command that reads it, where it is not called alike."""

BETTER = {"reach": (), "push": ("encoder", "num_steps")}
"""Where a shipped file has left the recipe, which finished cells of the benchmark hold fast."""


def _shipped(name: str) -> dict[str, Any]:
    folder = name.split("/")[0]
    return dump_values(load_config(COMMANDS[COMMAND_OF.get(folder, folder)].load_config_class(), CONFIGS / name))


def _differing(shipped: Mapping[str, Any], config: Any) -> set[str]:
    recipe = dump_values(config)
    return {key for key in recipe if recipe[key] != shipped[key]}


@pytest.mark.parametrize("task", ["reach", "push"])
def test_the_shipped_files_of_a_task_follow_the_recipe(task: str) -> None:
    recipe = RecipeConfig()
    play, demonstrations = Path(f"runs/collect-{task}"), Path(f"runs/demonstrations-{task}")
    encoder, policy = Path(f"runs/pretrain-{task}/encoder"), Path(f"runs/policy-{task}")
    assert not _differing(_shipped(f"collect/{task}.yaml"), play_config(recipe, task, play))
    demonstrated = demonstrations_config(recipe, task, demonstrations, seed=0)
    assert not _differing(_shipped(f"collect/{task}_demonstrations.yaml"), demonstrated)
    pretrained = pretrain_config(recipe, (play,), encoder.parent, seed=0)
    # the recipe names the objective of each source
    assert _differing(_shipped(f"pretrain/{task}.yaml"), pretrained) == {"sources", *BETTER[task]}
    cloned = finetune_config(recipe, demonstrations, encoder, policy, variant="pretrained", seed=0)
    assert _differing(_shipped(f"policy/{task}.yaml"), cloned) == {"architecture"}  # of the random encoder only
    assert _shipped(f"evaluate/{task}.yaml")["policy"] == str(policy / "policy")
    assert _shipped(f"probe/{task}.yaml")["encoder"] == str(encoder)


def test_pictures_of_the_recipe_depend_on_no_machine() -> None:
    recipe, here = RecipeConfig(), Path()
    made = [
        play_config(recipe, "push", here),
        demonstrations_config(recipe, "push", here, seed=0),
        evaluate_config(recipe, "push", "expert", here, domains=("randomized",), num_episodes=1),
        *(probe_data_config(recipe, "push", domain, here, num_episodes=1) for domain in ("randomized", "shifted")),
    ]
    assert {one.renderer for one in made} == {"tiny"}
    # TinyRenderer could draw held-out looks as well, but what is measured there is MuJoCo's own renderer
    assert probe_data_config(recipe, "push", "heldout", here, num_episodes=1).renderer == "auto"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_shipped_file_loads_and_opens_with_its_command(path: Path) -> None:
    name = path.relative_to(CONFIGS).as_posix()
    folder = path.parent.name
    assert _shipped(name)
    first = path.read_text().splitlines()[0]
    assert first.startswith(f"# robossl {COMMAND_OF.get(folder, folder)} configs/{name}")


def test_with_several_cameras_each_is_collected_shown_to_the_encoder_and_seen_by_policies() -> None:
    recipe, here = RecipeConfig(cameras=("front", "wrist")), Path()
    collected = [play_config(recipe, "push", here), demonstrations_config(recipe, "push", here, seed=0)]
    assert {one.cameras for one in collected} == {recipe.cameras}
    shown = [(source.path.name, source.views) for source in pretrain_config(recipe, (Path("a"),), here, seed=0).sources]
    assert shown == [("a", ("front", "front_look2")), ("a", ("wrist", "wrist_look2"))]
    assert finetune_config(recipe, here, here, here, variant="state", seed=0).cameras == recipe.cameras


def test_training_from_scratch_may_take_other_steps_than_a_head_on_frozen_features() -> None:
    recipe, here = RecipeConfig(finetune_steps=40, scratch_steps=7), Path()
    steps = {
        variant: finetune_config(recipe, here, here, here, variant=variant, seed=0).num_steps
        for variant in ("pretrained", "random", "state", "scratch")
    }
    assert steps == {"pretrained": 40, "random": 40, "state": 40, "scratch": 7}
    same = RecipeConfig(finetune_steps=40)
    assert finetune_config(same, here, here, here, variant="scratch", seed=0).num_steps == 40
