"""What the domains draw stays in its ranges, and `shifted` lies outside the source's."""

import colorsys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from robossl_envs.cameras import CAMERAS, FRONT, WRIST
from robossl_envs.errors import EnvError
from robossl_envs.randomization import Randomization
from robossl_envs.randomization.as_markdown import markdown
from robossl_envs.randomization.table import ARM_AXES, MIN_CONTRAST, TEXTURE_CHANCE
from robossl_envs.rendering.look import Light, Look, Surface
from robossl_envs.rendering.textures import NUM_TEXTURES, TEXTURE_SIZE_PX, texture_pool
from robossl_envs.tasks.push import Push

SEEDS = range(120)
AXES = {axis.name: axis for axis in ARM_AXES}
RANGES = {
    "randomized": {name: axis.medium for name, axis in AXES.items()},
    "shifted": {name: axis.shifted for name, axis in AXES.items()},
}
GROUNDS = ("table", "floor")
TARGETS = ("object", "goal")
NOMINAL = {body.name: body.rgb for body in Push.bodies}


def domain(name: str) -> Randomization:
    return Randomization(name, bodies=Push.bodies, cameras=CAMERAS)


LOOKS = {name: [domain(name).look(seed) for seed in SEEDS] for name in RANGES}
DYNAMICS = {name: [domain(name).dynamics(seed) for seed in SEEDS] for name in RANGES}


def hue_distance(rgb: tuple[float, float, float], part: str) -> float:
    """Return the distance from the part's nominal hue, as a part of the colour circle."""
    away = colorsys.rgb_to_hsv(*rgb)[0] - colorsys.rgb_to_hsv(*NOMINAL[part])[0]
    return abs((away + 0.5) % 1 - 0.5)


def of_targets(value: Callable[[tuple[float, float, float], str], float]) -> Callable[[Look], list[float]]:
    return lambda look: [value(look.surfaces[part].rgb, part) for part in TARGETS]


def elevation_rad(light: Light) -> float:
    return float(np.arcsin(light.direction[2] / np.linalg.norm(light.direction)))


LOOK_AXES: dict[str, Callable[[Look], list[float]]] = {
    "object_hue": of_targets(hue_distance),
    "object_saturation": of_targets(lambda rgb, _: colorsys.rgb_to_hsv(*rgb)[1]),
    "object_value": of_targets(lambda rgb, _: colorsys.rgb_to_hsv(*rgb)[2]),
    "robot_tint": lambda look: list(look.surfaces["robot"].rgb),
    "light_direction": lambda look: [elevation_rad(look.light)],
    "light_colour": lambda look: list(look.light.rgb),
    "ambient": lambda look: [look.light.ambient],
    "diffuse": lambda look: [look.light.diffuse],
    "specular": lambda look: [look.light.specular],
    "camera_position": lambda look: [
        float(np.linalg.norm(np.subtract(look.cameras["front"].position_m, FRONT.position_m)))
    ],
    "camera_target": lambda look: [float(np.linalg.norm(np.subtract(look.cameras["front"].target_m, FRONT.target_m)))],
    "field_of_view": lambda look: [abs(look.cameras["front"].fov_y_rad / FRONT.fov_y_rad - 1)],
}


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("axis", LOOK_AXES)
def test_looks_fill_their_ranges_and_stay_inside(name: str, axis: str) -> None:
    low, high = RANGES[name][axis]
    drawn = np.array([value for look in LOOKS[name] for value in LOOK_AXES[axis](look)])
    assert drawn.min() >= low - 1e-9
    assert drawn.max() <= high + 1e-9
    assert drawn.min() < low + 0.2 * (high - low)
    assert drawn.max() > high - 0.2 * (high - low)


@pytest.mark.parametrize("name", RANGES)
def test_dynamics_fill_their_ranges_and_stay_inside(name: str) -> None:
    (mass_kg,) = {body.mass_kg for body in Push.bodies if body.mass_kg > 0}
    drawn = {
        "mass": [draw.masses_kg["object"] / mass_kg for draw in DYNAMICS[name]],
        "friction": [draw.frictions["object"] for draw in DYNAMICS[name]],
        "motor_gain": [draw.motor_gain for draw in DYNAMICS[name]],
    }
    for axis, values in drawn.items():
        low, high = RANGES[name][axis]
        assert low <= min(values) < low + 0.2 * (high - low), axis
        assert high - 0.2 * (high - low) < max(values) <= high, axis


def test_shifted_lies_outside_of_the_source_in_every_axis_that_it_moves() -> None:
    same = {"object_value", "ground_colour", "specular"}
    always = {name for name, axis in AXES.items() if axis.always}
    assert {name for name in always if AXES[name].medium == AXES[name].shifted} == same
    for name in always - same:
        (low, high), (source_low, source_high) = AXES[name].shifted, AXES[name].medium
        assert low >= source_high or high <= source_low, name


def test_presets_are_as_wide_as_their_names_say() -> None:
    for axis in ARM_AXES:
        assert axis.full[0] <= axis.medium[0] <= axis.light[0], axis.name
        assert axis.light[1] <= axis.medium[1] <= axis.full[1], axis.name
        for low, high in (axis.light, axis.medium, axis.full, axis.shifted):
            assert axis.allowed[0] <= low <= high <= axis.allowed[1], axis.name


def test_shifted_wears_textures_that_the_source_never_draws() -> None:
    drawn = {
        name: {look.surfaces[part].texture for look in looks for part in GROUNDS} - {None}
        for name, looks in LOOKS.items()
    }
    assert drawn["randomized"] == set(range(12))
    assert drawn["shifted"] == set(range(12, NUM_TEXTURES))
    flat = np.mean([look.surfaces[part].texture is None for look in LOOKS["randomized"] for part in GROUNDS])
    assert flat == pytest.approx(1 - TEXTURE_CHANCE["medium"], abs=0.12)


@pytest.mark.parametrize("name", RANGES)
def test_goal_and_object_keep_their_family_and_stand_out_from_the_ground(name: str) -> None:
    for look in LOOKS[name]:
        for part, other in (TARGETS, TARGETS[::-1]):
            rgb = look.surfaces[part].rgb
            assert hue_distance(rgb, part) < hue_distance(rgb, other), "nearer to its own nominal hue"
        red, green, _ = look.surfaces["object"].rgb
        assert red > green, "the object stays reddish"
        red, green, _ = look.surfaces["goal"].rgb
        assert green > red, "the goal stays greenish"
        for ground in GROUNDS:
            for part in TARGETS:
                away = np.subtract(look.surfaces[ground].rgb, look.surfaces[part].rgb)
                assert np.linalg.norm(away) >= MIN_CONTRAST


def test_a_seed_gives_the_same_look_and_other_names_other_ones() -> None:
    drawing = domain("randomized")
    assert drawing.look(3) == drawing.look(3) == LOOKS["randomized"][3]
    assert drawing.dynamics(3) == DYNAMICS["randomized"][3]
    assert len({repr(look.record()) for look in (drawing.look(3), drawing.look(4), drawing.look(3, name="look0"))}) == 3


def test_a_camera_on_the_hand_never_moves_on_it() -> None:
    assert all(look.cameras["wrist"] == WRIST for looks in LOOKS.values() for look in looks)


def test_nominal_draws_nothing() -> None:
    look = domain("nominal").look(1)
    assert look == domain("nominal").look(2)
    assert look.cameras == CAMERAS
    assert {part: look.surfaces[part] for part in NOMINAL} == {name: Surface(rgb=rgb) for name, rgb in NOMINAL.items()}
    assert not domain("nominal").dynamics(1).masses_kg


def test_another_look_of_a_heldout_episode_is_another_frozen_one() -> None:
    drawing = domain("heldout")
    assert all(drawing.look(seed) != drawing.look(seed, name="look0") for seed in range(20))


def test_an_unknown_domain_is_refused() -> None:
    with pytest.raises(EnvError, match=r"unknown domain 'mars'.*nominal, randomized, shifted, heldout"):
        domain("mars")


def test_textures_are_grey_multipliers_that_all_differ() -> None:
    pool = texture_pool()
    assert len(pool) == NUM_TEXTURES
    assert len({texture.tobytes() for texture in pool}) == NUM_TEXTURES
    for texture in pool:
        assert texture.shape == (TEXTURE_SIZE_PX, TEXTURE_SIZE_PX, 3)
        assert np.ptp(texture, axis=-1).max() == 0
        assert texture.min() >= 0.44 * 255
        assert texture.std() > 10


def test_the_page_shows_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "randomization.md"
    assert markdown() in page.read_text(encoding="utf-8"), "run python -m robossl_envs.randomization.as_markdown"
