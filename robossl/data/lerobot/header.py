"""Rate, robot and features of a data set, and whether the episodes of one can go into another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from robossl.data.lerobot import layout
from robossl.data.lerobot.journal import Journal
from robossl.data.lerobot.reader import LeRobotV3, stored_info
from robossl.errors import DataError


def stored_header(root: Path) -> dict[str, Any]:
    """Return what `meta/info.json` says, or before there is one the first episode of the journal; empty without both.

    Raises:
        DataError: `meta/info.json` is damaged.
    """
    info = stored_info(root)
    if info:
        return info
    first = next(Journal(root / layout.JOURNAL_PATH).episodes(), None)
    return first.header if first else {}


def value_features(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the features without the index columns, which every data set has."""
    return {key: feature for key, feature in header["features"].items() if key not in layout.INDEX_COLUMNS}


def refuse_unlike(directories: Sequence[LeRobotV3], output: Path) -> None:
    """Refuse data sets that can't go into one, or not to the episodes that `output` holds; nothing is changed.

    Raises:
        DataError: two of them differ; the text names both and in what.
    """
    known = stored_header(output)
    headers = [(output, known)] if known else []
    for directory in directories:
        for root, header in headers:
            found = _difference(directory.info, header, here=directory.root, there=root)
            if found:
                raise DataError(f"{found}: leave one of them out, or choose another output")
        headers.append((directory.root, directory.info))


def _difference(one: Mapping[str, Any], other: Mapping[str, Any], *, here: Path, there: Path) -> str:
    """Return in what two data sets differ, or an empty text."""
    if one["fps"] != other["fps"]:
        return f"{here} has {one['fps']:g} frames a second, {there} {other['fps']:g}"
    if robots_differ(one.get("robot_type"), other.get("robot_type")):
        return f"{here} is of the robot {one['robot_type']!r}, {there} of {other['robot_type']!r}"
    found = feature_difference(value_features(one), value_features(other))
    return f"{here} does not fit {there}: {found}" if found else ""


def feature_difference(features: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Return in what the features of an episode differ from those that a data set has, or an empty text."""
    for key in sorted(features.keys() ^ known.keys()):
        where, there = ("missing from the episode", features) if key in known else ("not in this data set", known)
        return f"feature {key!r} is {where}, which has {', '.join(sorted(there))}"
    for key, expected in known.items():
        for part in ("dtype", "shape"):
            if features[key][part] != expected[part]:
                return f"feature {key!r} has the {part} {features[key][part]}, expected {expected[part]}"
        for name, other in _names_that_differ(features[key], expected):
            return f"feature {key!r} calls a number {name!r}, expected {other!r}"
    return ""


def with_names(features: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the features, those that are not named with the names that they have in `known`."""
    return {
        key: feature | {"names": feature["names"] or known.get(key, {}).get("names")}
        for key, feature in features.items()
    }


def robots_differ(one: str | None, other: str | None) -> bool:
    """Return whether two data sets name different robots; one that names none may be of any."""
    return bool(one and other and one != other)


def _names_that_differ(feature: Mapping[str, Any], known: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = zip(layout.feature_names(feature), layout.feature_names(known), strict=False)  # none where one has none
    return [(name, other) for name, other in pairs if name != other] if feature["dtype"] != "video" else []
