"""The options of `reset`: an episode out of its record, or other axes for one episode."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl_envs.domains import HELDOUT
from robossl_envs.errors import EnvError, unknown
from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.randomization import Randomization

_OPTIONS = ("record", "axes")
_NEEDED = ("seed", "env_id", "domain", "variations")


def recorded_seed(options: Mapping[str, Any] | None) -> int | None:
    """Return the seed of the record among the options of `reset`, if there is one.

    Raises:
        EnvError: An option is unknown, both are given, or the record lacks something.
    """
    for name in options or {}:
        if name not in _OPTIONS:
            raise unknown("option of reset", name, _OPTIONS)
    if options and all(options.get(name) is not None for name in _OPTIONS):
        raise EnvError("reset takes one of the options 'record' and 'axes': a record says itself what was drawn")
    if not options or options.get("record") is None:
        return None
    record = options["record"]
    missing = [name for name in _NEEDED if not isinstance(record, Mapping) or name not in record]
    if missing:
        raise EnvError(f"the record lacks {', '.join(missing)}: take what episode_record() or the data set returns")
    return int(record["seed"])


def draw_episode(
    randomization: Randomization,
    options: Mapping[str, Any] | None,
    episode_seed: int,
    *,
    num_steps: int,
    env_id: str,
    renderer: str,
    taken_m: Callable[[], Float[np.ndarray, "N 3"]] = lambda: np.zeros((0, 3)),
) -> Draw:
    """Draw an episode, or take it out of the record among the options of `reset`.

    Raises:
        EnvError: The record is of another env, engine or renderer, or a value is missing; there is no such axis; or
            the domain is frozen.
    """
    options = options or {}
    record = options.get("record")
    if record is None:
        axes = options.get("axes")
        if axes is not None and randomization.domain in HELDOUT:
            raise EnvError(
                f"the option 'axes' is {axes!r}, but domain {randomization.domain!r} is frozen: leave it out, or take "
                "domain 'randomized'"
            )
        return randomization.draw(episode_seed, num_steps=num_steps, axes=axes, taken_m=taken_m)
    frozen = [domain if domain in HELDOUT else "" for domain in (record["domain"], randomization.domain)]
    if record["env_id"] != env_id or frozen[0] != frozen[1]:
        raise EnvError(
            f"the record is of {record['env_id']} in domain {record['domain']!r}, this env is {env_id} in "
            f"{randomization.domain!r}: make the env of the record"
        )
    drawn_by = record.get("renderer", "none")
    if "none" not in (drawn_by, renderer) and drawn_by != renderer:
        raise EnvError(
            f"the record was drawn by renderer {drawn_by!r}, this env has {renderer!r}: make it with that one"
        )
    try:
        return randomization.from_record(record["variations"])
    except KeyError as error:
        raise EnvError(f"the record has no value {error.args[0]!r}: the env was made with other cameras") from None
