"""Single axes on, off and between other bounds: each moves itself alone."""

import numpy as np
import pytest

from robossl_envs.cameras import CAMERAS
from robossl_envs.errors import EnvError
from robossl_envs.randomization import Randomization
from robossl_envs.randomization.table import ARM_AXES, MIN_CONTRAST
from robossl_envs.tasks.push import Push

AXES = {axis.name: axis for axis in ARM_AXES}
ALWAYS = [axis.name for axis in ARM_AXES if axis.always]
SEEDS = range(12)
TAKEN_M = np.array([[0.45, 0.0, 0.05]])
KEYS = {
    "ground_colour": {"table.rgb", "floor.rgb"},
    "texture": {"table.texture", "floor.texture"},
    "robot_tint": {"robot.rgb"},
    "light_colour": {"light.rgb"},
    "camera_position": {"camera.front.position_m"},
    "camera_target": {"camera.front.target_m"},
    "camera_roll": {"camera.front.roll_rad"},
    "field_of_view": {"camera.front.fov_y_rad"},
    "mass": {"object.mass_kg"},
    "friction": {"object.friction"},
    "motor_gain": {"robot.motor_gain"},
    **{f"object_{name}": {"object.rgb", "goal.rgb"} for name in ("hue", "saturation", "value")},
    "light_direction": {"light.direction"},
    "distractors": {
        "distractors",
        "distractors.places_m",
        *(f"distractor_{i}.{name}" for i in range(3) for name in ("rgb", "texture")),
    },
    "backdrop": {"backdrop", "backdrop.rgb", "backdrop.texture"},
    **{name: {f"light.{name}"} for name in ("ambient", "diffuse", "specular", "shadow")},
}
"""Values of the record that an axis moves, where they are not called by its name."""


def drawing(domain: str = "randomized", asked=None) -> Randomization:
    return Randomization(domain, bodies=Push.bodies, cameras=CAMERAS, asked=asked)


def records(randomization: Randomization) -> list[dict]:
    return [randomization.draw(seed, num_steps=20, taken_m=lambda: TAKEN_M).record() for seed in SEEDS]


def moved(first: list[dict], second: list[dict]) -> set[str]:
    """Return the names of values that differ, without grounds that only follow a colour that they stand out from."""
    names = set()
    for one, other in zip(first, second, strict=True):
        names |= {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
    return names


def follows(first: list[dict], second: list[dict]) -> bool:
    """Tell whether grounds that differ would not have stood out from the second's objects."""
    for one, other in zip(first, second, strict=True):
        for ground in ("table", "floor"):
            near = [
                np.linalg.norm(np.subtract(one[f"{ground}.rgb"], other[f"{part}.rgb"])) for part in ("object", "goal")
            ]
            if one[f"{ground}.rgb"] != other[f"{ground}.rgb"] and min(near) >= MIN_CONTRAST:
                return False
    return True


def own(axis: str, names: set[str]) -> set[str]:
    return KEYS.get(axis) or {name for name in names if name.split(".")[0] == axis}


@pytest.mark.parametrize("preset", ["medium", "full"])
@pytest.mark.parametrize("axis", AXES)
def test_an_axis_that_is_switched_moves_itself_alone(axis: str, preset: str) -> None:
    usual = records(drawing(asked=preset))
    is_on = AXES[axis].is_on(preset)
    other = records(drawing(asked={"preset": preset, "axes": {axis: not is_on}}))
    names = moved(usual, other)
    if axis.startswith("object_"):
        assert follows(usual, other)
        names -= KEYS["ground_colour"]
    assert names
    assert names <= own(axis, names)


@pytest.mark.parametrize("axis", AXES)
def test_an_axis_between_other_bounds_moves_itself_alone_and_stays_between_them(axis: str) -> None:
    usual = records(drawing(asked="full"))
    low, high = AXES[axis].full
    steps = {"whole": 1.0, "pool": 1.0 if axis == "texture" else 0.2}
    bounds = (low, low + steps.get(AXES[axis].sampler, 0.3 * (high - low)))
    other = records(drawing(asked={"preset": "full", "axes": {axis: list(bounds)}}))
    names = moved(usual, other)
    if axis.startswith("object_"):
        assert follows(usual, other)
        names -= KEYS["ground_colour"]
    assert names <= own(axis, names) | {axis}
    for record in other:
        if axis in record:
            assert all(bounds[0] <= value <= bounds[1] for value in np.ravel(record[axis]))


@pytest.mark.parametrize("axis", AXES)
def test_a_single_axis_can_be_drawn_in_nominal(axis: str) -> None:
    usual, other = records(drawing("nominal")), records(drawing("nominal", {"axes": {axis: True}}))
    assert all(record == usual[0] for record in usual)
    names = moved(usual, other)
    assert names
    assert names <= own(axis, names)
    if axis not in ("shadow", "texture", "observation_delay"):
        assert len({repr(record) for record in other}) > len(SEEDS) / 4


@pytest.mark.parametrize("axis", ALWAYS)
def test_nominal_values_stand_in_for_an_axis_that_is_off(axis: str) -> None:
    nominal = records(drawing("nominal"))[0]
    off = records(drawing(asked={"axes": {axis: False}}))
    for name in KEYS.get(axis, set()) - ({"object.rgb", "goal.rgb", "object.mass_kg", "object.friction"}):
        assert all(record[name] == nominal[name] for record in off)
    assert all(name not in record for record in off for name in KEYS.get(axis, ()) if axis in ("mass", "friction"))


def test_a_group_is_switched_at_once_and_its_axes_still_one_by_one() -> None:
    asked = {"preset": "full", "axes": {"sensor": False, "blur": True, "timing": False}}
    on = drawing(asked=asked).setting.bounds
    assert "blur" in on
    assert not {"image_noise", "jpeg_quality", "action_delay"} & on.keys()
    assert {"mass", "camera_position"} <= on.keys()


def test_without_a_word_the_domains_draw_what_they_always_drew() -> None:
    assert records(drawing()) == records(drawing(asked="medium")) == records(drawing(asked={"preset": "medium"}))
    assert records(drawing("shifted")) == records(drawing(asked="shifted"))
    assert drawing().setting.bounds.keys() == set(ALWAYS)
    assert drawing(asked="light").setting.bounds.keys() == set(ALWAYS)
    assert drawing(asked="full").setting.bounds.keys() == AXES.keys()


def test_other_axes_for_one_episode_leave_the_next_as_it_was() -> None:
    randomization = drawing(asked="full")
    usual = randomization.draw(1, num_steps=5)
    heavy = randomization.draw(1, num_steps=5, axes={"mass": [3.0, 3.0]})
    assert heavy.record()["object.mass_kg"] == pytest.approx(0.6)
    assert randomization.draw(1, num_steps=5) == usual


@pytest.mark.parametrize(
    ("domain", "asked", "text"),
    [
        ("randomized", "ful", r"unknown randomization 'ful': use one of light, medium, full, shifted; did"),
        ("randomized", {"axes": {"camera_pos": True}}, "unknown axis of randomization 'camera_pos'.*'camera_position'"),
        ("randomized", {"axis": {}}, "unknown key of randomization 'axis'.*did you mean 'axes'"),
        ("randomized", {"axes": {"mass": [2.0, 1.0]}}, r"'mass'.*true, false or \[low, high\] within 0.01 to 100"),
        ("randomized", {"axes": {"mass": [0.5, float("nan")]}}, "axis 'mass' of randomization"),
        ("randomized", {"axes": {"mass": [-1.0, 2.0]}}, "axis 'mass' of randomization"),
        ("randomized", {"axes": {"mass": "heavy"}}, "not 'heavy'"),
        ("randomized", {"axes": {"sensor": [0, 1]}}, "group 'sensor' is true or false"),
        ("randomized", {"axes": ["mass"]}, "a mapping of names"),
        ("randomized", 3, "a preset or a mapping"),
        ("heldout", "full", "domain 'heldout' is frozen"),
        ("heldout", {"axes": {"mass": True}}, "domain 'heldout' is frozen"),
        ("nominal", "full", "domain 'nominal' draws nothing by itself"),
        ("shifted", "full", "domain 'shifted' has the preset of its name"),
    ],
)  # fmt: skip
def test_what_can_not_be_drawn_is_refused_in_one_line(domain, asked, text) -> None:
    with pytest.raises(EnvError, match=text) as caught:
        drawing(domain, asked)
    assert "\n" not in str(caught.value)
