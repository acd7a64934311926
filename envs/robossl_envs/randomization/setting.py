"""Which axes an env draws, and between which bounds: the keyword `randomization`, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from robossl_envs.domains import HELDOUT, Domain
from robossl_envs.errors import EnvError, unknown
from robossl_envs.randomization.axis import GROUPS, PRESETS, Axis, Preset, Range

Asked = str | Mapping[str, Any] | None
"""A preset; or `{"preset": ..., "axes": {name of an axis or a group: true, false or (low, high)}}`; None: what the
domain has by itself."""
_KEYS = ("preset", "axes")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is drawn in an episode."""

    preset: Preset
    """Whose bounds are taken where no others are asked for."""
    bounds: Mapping[str, Range] = field(default_factory=dict)
    """Of the axes that are on."""
    own: frozenset[str] = frozenset()
    """Axes that always draw from a stream of their own, since the preset alone would not draw them so."""

    def with_axes(self, axes: Mapping[str, Any], table: Sequence[Axis]) -> "Setting":
        """Return the setting with some axes on, off or between other bounds.

        Raises:
            EnvError: There is no such axis, or its bounds are none.
        """
        bounds, own = dict(self.bounds), set(self.own)
        rows = {axis.name: axis for axis in table}
        for name, wish in _singly(axes, rows).items():
            if wish is False:
                bounds.pop(name, None)
                continue
            changed = wish is not True or name not in bounds
            bounds[name] = (
                bounds.get(name, rows[name].bounds(self.preset)) if wish is True else _bounds(rows[name], wish)
            )
            if changed:
                own.add(name)
        return replace(self, bounds=bounds, own=frozenset(own))


def read_setting(domain: Domain, asked: Asked, table: Sequence[Axis]) -> Setting:
    """Return what a domain draws, with what is asked for.

    Raises:
        EnvError: An unknown preset, axis or key, bounds that are none, or a domain that draws nothing of the kind.
    """
    wishes = _as_mapping(asked)
    for key in wishes:
        if key not in _KEYS:
            raise unknown("key of randomization", key, _KEYS)
    preset = wishes.get("preset", "shifted" if domain == "shifted" else "medium")
    if preset not in PRESETS:
        raise unknown("randomization", preset, PRESETS)
    _check_domain(domain, asked, preset)
    on = {} if domain in ("nominal", *HELDOUT) else {
        axis.name: axis.bounds(preset) for axis in table if axis.is_on(preset)
    }  # fmt: skip
    return Setting(preset=preset, bounds=on).with_axes(wishes.get("axes") or {}, table)


def _as_mapping(asked: Asked) -> Mapping[str, Any]:
    if asked is None:
        return {}
    if isinstance(asked, str):
        return {"preset": asked}
    if isinstance(asked, Mapping):
        return asked
    raise EnvError(f"randomization is a preset or a mapping with {' and '.join(_KEYS)}, not {asked!r}")


def _check_domain(domain: Domain, asked: Asked, preset: str) -> None:
    if asked is None:
        return
    if domain in HELDOUT:
        raise EnvError(
            f"randomization is {asked!r}, but domain {domain!r} is frozen: leave it out, or take 'randomized'"
        )
    if domain == "nominal" and isinstance(asked, str):
        raise EnvError(
            f"randomization is {asked!r}, but domain 'nominal' draws nothing by itself: take domain 'randomized', "
            "or switch single axes on with {'axes': {'mass': True}}"
        )
    if domain == "shifted" and preset != "shifted":
        raise EnvError(
            f"randomization is {preset!r}, but domain 'shifted' has the preset of its name: take 'randomized'"
        )


def _singly(axes: Mapping[str, Any], rows: Mapping[str, Axis]) -> dict[str, Any]:
    """Return a wish for each axis; a group's goes to all of its axes, unless they have one of their own."""
    if not isinstance(axes, Mapping):
        raise EnvError(f"axes of randomization are a mapping of names to true, false or [low, high], not {axes!r}")
    wishes: dict[str, Any] = {}
    for name, wish in axes.items():
        if name in GROUPS:
            if not isinstance(wish, bool):
                raise EnvError(f"randomization of the group {name!r} is true or false, not {wish!r}")
            wishes |= {row.name: wish for row in rows.values() if row.group == name and row.name not in axes}
        elif name not in rows:
            raise unknown("axis of randomization", name, (*rows, *GROUPS))
        else:
            wishes[name] = wish
    return wishes


def _bounds(axis: Axis, wish: Any) -> Range:
    try:
        low, high = (float(value) for value in wish)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    least, most = axis.allowed
    if not (np.isfinite([low, high]).all() and least <= low <= high <= most):
        raise EnvError(
            f"axis {axis.name!r} of randomization is true, false or [low, high] within {least:g} to {most:g}, "
            f"not {wish!r}"
        )
    return low, high
