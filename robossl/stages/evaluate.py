"""`robossl evaluate`: the success of a policy in each domain, with videos."""

import logging
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import Any

import gymnasium as gym

from robossl.config.env import HELDOUT, SCRIPTED, randomization
from robossl.config.evaluate import EvaluateConfig
from robossl.errors import ConfigError
from robossl.evaluation.kept import keep_episodes
from robossl.evaluation.latency import act_ms
from robossl.evaluation.success import EpisodeOutcome, SuccessCell, outcome_of, success_table
from robossl.evaluation.videos import episode_grid
from robossl.evaluation.worlds import changes_of
from robossl.policies.agents import env_options, policy_factory
from robossl.policies.demonstrations import GOAL_VIEW
from robossl.policies.fitting import frame_side_px
from robossl.policies.saving import load_policy_card
from robossl.rollout import EnvSpec, Workers, batch_of_one, rollout
from robossl.runs import Run, digest_path
from robossl.stages.progress import tracked
from robossl.types import Episode

FPS_HZ = 20
logger = logging.getLogger(__name__)


def evaluate(config: EvaluateConfig, *, run: Run, workers: Workers | None = None) -> dict[str, Any]:
    """Roll the policy out in each domain on the same seeds; log videos of successes and failures.

    Args:
        config: what to measure.
        run: where the videos and numbers go.
        workers: processes kept open by the caller; replaces `num_workers`.

    Raises:
        ConfigError: the policy is none or does not fit the env, a domain is unknown, or an episode seed is one that it
            was trained on.
        RobosslError: the policy is damaged.
    """
    specs = prepare(config)
    env_id = specs[config.domains[0]].env_id
    time_ms = _act_ms(config, specs[config.domains[0]])
    run.tracker.cut_back(0)
    cells = []
    kept: list[Episode] = []
    with nullcontext(workers) if workers else Workers(config.num_workers) as open_workers, run.time("evaluate"):
        for domain, one in specs.items():
            cell, shown, watched = _evaluate_domain(config, one, workers=open_workers)
            _compare_renderers(config, cell)
            cells.append(cell)
            _log_videos(run, shown, domain=domain)
            kept += watched
            run.tracker.log(len(cells) - 1, {f"success/{domain}": float(cell.successes.mean())})
    if config.num_kept:
        keep_episodes(run.path, kept, num=config.num_kept)
    title = f"Success of {config.policy} in {env_id}"
    return {
        "tables": [success_table(cells, title=title)],
        "env_id": env_id,
        "policy": config.policy,
        "domains": {cell.domain: cell.as_json() for cell in cells},
        **({} if time_ms is None else {"act_ms": round(time_ms, 2)}),
        "inputs": {} if config.policy in SCRIPTED else {"policy": digest_path(config.policy)},
    }


def prepare(config: EvaluateConfig) -> dict[str, EnvSpec]:
    """Return the env of each domain, tried out: now, and not after the minutes that all of them take.

    Raises:
        ConfigError: an env can't be made, the policy does not fit it, or the settings do not go together.
    """
    spec = _env_spec(config)
    specs = {domain: _in_domain(spec, config, domain, renderer=_renderer(config)) for domain in config.domains}
    for one in specs.values():
        with closing(_made(one, config.policy)) as env:
            if config.policy not in SCRIPTED:
                policy_factory(config.policy)(env, config.seed)
    return specs


def _made(spec: EnvSpec, policy: str) -> gym.Env:
    try:
        return spec.make()
    except ConfigError as error:
        if policy not in SCRIPTED and any(f"'{camera}'" in str(error) for camera in spec.cameras):
            raise ConfigError(f"{error}; policy {policy} sees {', '.join(spec.cameras)}") from error
        raise


def _act_ms(config: EvaluateConfig, spec: EnvSpec) -> float | None:
    """Return how long a saved policy takes for an action [ms]."""
    if config.policy in SCRIPTED:
        return None
    with closing(spec.make()) as env:
        policy = policy_factory(config.policy)(env, config.seed)
        observation, info = env.reset(seed=config.seed)
        return act_ms(policy, batch_of_one({**observation, "environment_state": info["environment_state"]}))


def _evaluate_domain(
    config: EvaluateConfig, spec: EnvSpec, *, workers: Workers
) -> tuple[SuccessCell, list[Episode], list[Episode]]:
    """Return the cell, the first episodes of either outcome for the videos, and those to be kept one by one."""
    outcomes: list[EpisodeOutcome] = []
    shown: dict[bool, list[Episode]] = {True: [], False: []}
    kept: list[Episode] = []
    num_failures = 0
    episodes = rollout(
        spec,
        policy_factory(config.policy),
        num_episodes=config.num_episodes,
        seed=config.seed,
        workers=workers,
    )
    with closing(episodes):
        for episode in tracked(episodes, description=f"evaluate, {spec.domain}", total=config.num_episodes):
            outcomes.append(outcome_of(episode))
            if len(outcomes) <= config.num_kept or (not episode.success and num_failures < config.num_kept):
                kept.append(episode)
            num_failures += not episode.success
            if len(shown[episode.success]) < config.num_videos:
                shown[episode.success].append(episode)
    changes = changes_of(spec)
    cell = SuccessCell(policy=config.policy, domain=spec.domain, outcomes=tuple(outcomes), changes=changes)
    return cell, [*shown[True], *shown[False]], kept


def _in_domain(spec: EnvSpec, config: EvaluateConfig, domain: str, *, renderer: str) -> EnvSpec:
    """Return the env in a domain.

    Presets are for `randomized`, single axes for all domains that are not frozen; the held-out ones are drawn by their
    own renderer, whatever else is asked for.
    """
    if domain.startswith(HELDOUT):
        return replace(spec, domain=domain)
    has_preset = domain == "randomized" or (domain == "nominal" and config.axes)
    named = {"renderer": renderer, "engine": config.engine}
    chosen = {name: value for name, value in named.items() if value != "auto"}
    drawn = randomization(config.randomization if has_preset else "", config.axes)
    return replace(spec, domain=domain, options={**spec.options, **chosen, **drawn})


def _renderer(config: EvaluateConfig) -> str:
    """Return the renderer of the config, else that of the demonstrations if it can be chosen."""
    shown = _renderers_of_policy(config)
    # not `gl` itself: a machine without it is to measure too, and says what it does instead
    return "tiny" if config.renderer == "auto" and shown == {"tiny"} else config.renderer


def _renderers_of_policy(config: EvaluateConfig) -> set[str]:
    card = {} if config.policy in SCRIPTED else load_policy_card(config.policy)
    # what does not see pictures has no renderer of its own
    return set(card.get("trained_on", {}).get("renderers", ())) if card.get("cameras") else set()


def _compare_renderers(config: EvaluateConfig, cell: SuccessCell) -> None:
    """Say in one line if a domain was drawn by another renderer than the demonstrations."""
    known, seen = _renderers_of_policy(config), {outcome.renderer for outcome in cell.outcomes}
    if known and not cell.domain.startswith(HELDOUT) and seen - known:
        logger.warning(
            "%s was drawn by %s, but the demonstrations of %s by %s: --renderer chooses",
            cell.domain,
            "+".join(sorted(seen)),
            config.policy,
            "+".join(sorted(known)),
        )


def _log_videos(run: Run, episodes: list[Episode], *, domain: str) -> None:
    for name, success in (("successes", True), ("failures", False)):
        chosen = [episode for episode in episodes if episode.success == success]
        if chosen:
            camera = next(iter(chosen[0].pixels))
            video = episode_grid(chosen, camera=camera)
            run.tracker.log_video(f"evaluate/{domain}/{name}", video, fps_hz=FPS_HZ, step=0)


def _env_spec(config: EvaluateConfig) -> EnvSpec:
    """Return the env of the config, completed from the policy's card."""
    if config.num_episodes < 1 or not config.domains:
        raise ConfigError("num_episodes must be at least 1 and domains must name at least one domain")
    if len(set(config.domains)) < len(config.domains):
        raise ConfigError(f"domains names one twice: {', '.join(config.domains)}; name each once")
    card: dict[str, Any] = {} if config.policy in SCRIPTED else load_policy_card(config.policy)
    trained_on = card.get("trained_on", {})
    env_id = config.env_id or trained_on.get("env_id")
    if not env_id:
        raise ConfigError(f"env_id is empty and {config.policy!r} names none; pass for example robossl/PandaReach-v0")
    seeds = set(trained_on.get("seeds", ())) & set(range(config.seed, config.seed + config.num_episodes))
    if seeds:
        raise ConfigError(
            f"seed {min(seeds)} is one of the policy's demonstrations; choose seed so that none of the "
            f"{config.num_episodes} episodes is"
        )
    return EnvSpec(
        env_id=env_id,
        cameras=tuple(name for name in card.get("cameras", ()) if name != GOAL_VIEW) or ("front",),
        image_size=config.image_size or frame_side_px(trained_on) or 64,
        options=env_options(config.policy),
    )
