"""What `robossl transfer` refuses before anything is measured, and which worlds it takes where none were named."""

import logging
from contextlib import closing
from dataclasses import replace
from typing import Any

import gymnasium as gym

from robossl.config.env import SCRIPTED
from robossl.config.transfer import SHIFTS, TransferConfig, check_shifts
from robossl.errors import ConfigError, closest
from robossl.policies.agents import policy_factory
from robossl.policies.saving import load_policy_card
from robossl.stages.evaluate import prepare

DEFAULTS = TransferConfig()
logger = logging.getLogger(__name__)


def checked(config: TransferConfig) -> TransferConfig:
    """Return the settings, without those worlds of the defaults that the env does not have.

    Raises:
        ConfigError: there is no policy, one does not fit the env or comes from another, or the env has no such world.
    """
    _check_names(config)
    config = replace(config, env_id=_env_id(config))
    if elsewhere := [name for name, there in trained_in_source(config).items() if not there]:
        told = "%s: not trained in the source %s, so that what is kept says nothing of leaving the training world"
        logger.warning(told, ", ".join(elsewhere), config.source)
    for name in config.policies:
        specs = prepare(config.evaluation(name, config.source))
    with closing(specs[config.source].make()) as env:
        config = _possible(config, env)
    first = next(iter(config.policies))
    for world in config.worlds[1:]:
        prepare(config.evaluation(first, world))
    return config


def trained_in_source(config: TransferConfig) -> dict[str, bool]:
    """Return of each policy that was trained whether that was in the source."""
    cards = {name: load_policy_card(path) for name, path in config.policies.items() if path not in SCRIPTED}
    return {name: config.source in card.get("trained_on", {}).get("domains", ()) for name, card in cards.items()}


def _check_names(config: TransferConfig) -> None:
    if not config.policies:
        raise ConfigError("policies is empty; name at least one: --policies ours runs/finetune/policy")
    for name, policy in config.policies.items():
        policy_factory(policy)
        if "/" in name or name.startswith("."):
            raise ConfigError(
                f"{name!r} would be the name of a policy, and of a folder: names come first (--policies ours "
                "runs/finetune/policy), hold no / and begin with no dot"
            )
    check_shifts(config.shifts)
    if repeated := {world for world in config.worlds if config.worlds.count(world) > 1}:
        raise ConfigError(f"{repeated.pop()} is named twice among source, targets and shifts; name it once")


def _env_id(config: TransferConfig) -> str:
    """Return the env to measure in; refuse policies that would each be measured in one of its own, or in none."""
    if config.env_id:
        return config.env_id
    cards = {name: load_policy_card(path) for name, path in config.policies.items() if path not in SCRIPTED}
    found = {name: card.get("trained_on", {}).get("env_id") for name, card in cards.items()}
    known = sorted({env_id for env_id in found.values() if env_id})
    if len(known) > 1:
        told = ", ".join(f"{name}: {env_id}" for name, env_id in found.items())
        raise ConfigError(f"the policies come from several envs ({told}); set env_id to the one to measure them in")
    unknown = [name for name in config.policies if not known or (name in found and not found[name])]
    if unknown:
        name, example = unknown[0], known[0] if known else "robossl/PandaReach-v0"
        told = f"{name} ({config.policies[name]})"
        raise ConfigError(f"env_id is empty and policy {told} names none; pass for example {example}")
    return known[0]


def _possible(config: TransferConfig, env: gym.Env) -> TransferConfig:
    """Return the settings with worlds that the env has; one of another package may not say which those are."""
    simulator: Any = env.unwrapped
    name = env.spec.id if env.spec else config.env_id
    if not (domains := getattr(simulator, "domains", None)):
        return config
    shifts = [shift for shift in SHIFTS if _has(simulator, shift)]
    targets = _chosen(config.targets, domains, DEFAULTS.targets, what=f"{name} has no domain")
    chosen = _chosen(config.shifts, shifts, DEFAULTS.shifts, what=f"{name} has not what it takes for shift")
    return replace(config, targets=targets, shifts=chosen)


def _has(simulator: Any, shift: str) -> bool:
    return "mujoco" in simulator.engines if shift == "engine" else set(SHIFTS[shift]) <= set(simulator.axis_names)


def _chosen(asked: tuple[str, ...], known: Any, default: tuple[str, ...], *, what: str) -> tuple[str, ...]:
    missing = [name for name in asked if name not in known]
    if missing and asked != default:
        raise ConfigError(f"{what} {missing[0]!r}: use {', '.join(known)}{closest(missing[0], known)}")
    if missing:
        logger.warning("%s %s: not measured", what, ", ".join(missing))
    return tuple(name for name in asked if name in known)
