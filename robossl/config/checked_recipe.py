"""The recipe with its sizes checked: the first stage that meets a wrong one may run after minutes of others."""

from typing import Annotated

from pydantic import AfterValidator

from robossl.config.recipe import RecipeConfig

_SIZES = {"num_play_episodes": 1, "num_demonstrations": 1, "pretrain_steps": 1, "finetune_steps": 1, "num_workers": 0}


def _check_sizes(recipe: RecipeConfig) -> RecipeConfig:
    for name, least in _SIZES.items():
        if getattr(recipe, name) < least:
            raise ValueError(f"{name} is {getattr(recipe, name)}; it must be at least {least}")
    return recipe


CheckedRecipe = Annotated[RecipeConfig, AfterValidator(_check_sizes)]
"""What demo and benchmark take."""
