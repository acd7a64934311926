"""The one table of variations of the arm envs; control envs add the physics of their task."""

from robossl_envs.randomization.axis import Axis, Preset
from robossl_envs.rendering.textures import NUM_TEXTURES

MIN_CONTRAST = 0.35
"""Least RGB distance of a ground from the objects and goals on it."""
TEXTURE_CHANCE: dict[Preset, float] = {"light": 0.3, "medium": 0.6, "full": 0.8, "shifted": 1.0}
"""Of table and floor each."""

LOOKS = (
    Axis(name="object_hue", group="look", what="hue of objects and goals", unit="of the colour circle",
         sampler="either way", nominal=0.0,
         allowed=(0.0, 0.14),
         light=(0.0, 0.05), medium=(0.0, 0.11), full=(0.0, 0.13), shifted=(0.11, 0.14), always=True),
    Axis(name="object_saturation", group="look", what="their saturation", unit="0-1", sampler="uniform", nominal=None,
         allowed=(0.0, 1.0),
         light=(0.6, 1.0), medium=(0.45, 1.0), full=(0.4, 1.0), shifted=(0.35, 0.45), always=True),
    Axis(name="object_value", group="look", what="their brightness", unit="0-1", sampler="uniform", nominal=None,
         allowed=(0.0, 1.0),
         light=(0.55, 1.0), medium=(0.4, 1.0), full=(0.35, 1.0), shifted=(0.4, 1.0), always=True),
    Axis(name="ground_colour", group="look", what="table, floor, fixtures and backdrop", unit="0-1", sampler="colour",
         nominal=None,
         allowed=(0.0, 1.0),
         light=(0.2, 0.8), medium=(0.0, 1.0), full=(0.0, 1.0), shifted=(0.0, 1.0), always=True),
    Axis(name="texture", group="look", what="texture of a ground, if it has one", unit="", sampler="pool", nominal=None,
         allowed=(0, NUM_TEXTURES),
         light=(0, 8), medium=(0, 12), full=(0, NUM_TEXTURES), shifted=(12, NUM_TEXTURES), always=True),
    Axis(name="robot_tint", group="look", what="tint of the robot", unit="factor", sampler="colour", nominal=1.0,
         allowed=(0.0, 2.0),
         light=(0.8, 1.1), medium=(0.6, 1.1), full=(0.5, 1.1), shifted=(0.45, 0.6), always=True),
    Axis(name="light_direction", group="look", what="where light comes from", unit="rad", sampler="any direction",
         nominal=None,
         allowed=(0.0, 1.57),
         light=(0.8, 1.5), medium=(0.5, 1.5), full=(0.35, 1.5), shifted=(0.3, 0.5), always=True),
    Axis(name="light_colour", group="look", what="colour of light", unit="0-1", sampler="colour", nominal=1.0,
         allowed=(0.0, 1.0),
         light=(0.9, 1.0), medium=(0.8, 1.0), full=(0.65, 1.0), shifted=(0.7, 0.8), always=True),
    Axis(name="ambient", group="look", what="light from everywhere", unit="0-1", sampler="uniform", nominal=0.6,
         allowed=(0.0, 1.0),
         light=(0.45, 0.65), medium=(0.35, 0.75), full=(0.28, 0.8), shifted=(0.28, 0.35), always=True),
    Axis(name="diffuse", group="look", what="strength of direct light", unit="0-1", sampler="uniform", nominal=0.35,
         allowed=(0.0, 1.0),
         light=(0.3, 0.6), medium=(0.2, 0.8), full=(0.15, 0.9), shifted=(0.8, 0.9), always=True),
    Axis(name="specular", group="look", what="strength of highlights", unit="0-1", sampler="uniform", nominal=0.05,
         allowed=(0.0, 1.0),
         light=(0.0, 0.15), medium=(0.0, 0.3), full=(0.0, 0.5), shifted=(0.0, 0.3), always=True),
    Axis(name="shadow", group="look", what="whether things cast shadows", unit="", sampler="coin", nominal=0.0,
         allowed=(0.0, 1.0),
         light=(0.0, 1.0), medium=(0.0, 1.0), full=(0.0, 1.0), shifted=(1.0, 1.0)),
    Axis(name="camera_position", group="look", what="place of a world camera", unit="m", sampler="any direction",
         nominal=0.0,
         allowed=(0.0, 0.5),
         light=(0.0, 0.03), medium=(0.0, 0.06), full=(0.0, 0.12), shifted=(0.06, 0.08), always=True),
    Axis(name="camera_target", group="look", what="point that it looks at", unit="m", sampler="any direction",
         nominal=0.0,
         allowed=(0.0, 0.5),
         light=(0.0, 0.02), medium=(0.0, 0.04), full=(0.0, 0.06), shifted=(0.04, 0.05), always=True),
    Axis(name="camera_roll", group="look", what="turn about its line of sight", unit="rad", sampler="either way",
         nominal=0.0,
         allowed=(0.0, 3.15),
         light=(0.0, 0.03), medium=(0.0, 0.05), full=(0.0, 0.09), shifted=(0.09, 0.12)),
    Axis(name="field_of_view", group="look", what="change of its field of view", unit="factor - 1",
         sampler="either way", nominal=0.0,
         allowed=(0.0, 0.5),
         light=(0.0, 0.04), medium=(0.0, 0.08), full=(0.0, 0.12), shifted=(0.08, 0.1), always=True),
)  # fmt: skip

PHYSICS = (
    Axis(name="mass", group="physics", what="mass of what can be moved", unit="factor", sampler="uniform", nominal=1.0,
         allowed=(0.01, 100.0),
         light=(0.8, 1.25), medium=(0.6, 1.6), full=(0.25, 4.0), shifted=(1.6, 2.0), always=True),
    Axis(name="friction", group="physics", what="its sliding friction", unit="coefficient", sampler="uniform",
         nominal=None,
         allowed=(0.0, 10.0),
         light=(0.4, 0.7), medium=(0.3, 0.9), full=(0.2, 1.5), shifted=(0.22, 0.3), always=True),
    Axis(name="motor_gain", group="physics", what="stiffness of the arm's position controller", unit="factor",
         sampler="uniform", nominal=1.0,
         allowed=(0.01, 3.0),
         light=(0.9, 1.1), medium=(0.8, 1.2), full=(0.5, 2.0), shifted=(0.7, 0.8), always=True),
)  # fmt: skip

SENSOR = (
    Axis(name="exposure", group="sensor", what="brightness of the picture", unit="factor", sampler="log-uniform",
         nominal=1.0,
         allowed=(0.01, 100.0),
         light=(0.9, 1.1), medium=(0.8, 1.25), full=(0.7, 1.4), shifted=(0.5, 0.7)),
    Axis(name="white_balance", group="sensor", what="red and blue of the picture, each", unit="factor",
         sampler="colour", nominal=1.0,
         allowed=(0.0, 10.0),
         light=(0.95, 1.05), medium=(0.9, 1.1), full=(0.85, 1.15), shifted=(1.15, 1.25)),
    Axis(name="blur", group="sensor", what="width of a Gaussian blur", unit="of the height", sampler="uniform",
         nominal=0.0,
         allowed=(0.0, 0.2),
         light=(0.0, 0.004), medium=(0.0, 0.008), full=(0.0, 0.014), shifted=(0.014, 0.02)),
    Axis(name="image_noise", group="sensor", what="standard deviation of noise on every pixel", unit="of 255",
         sampler="uniform", nominal=0.0,
         allowed=(0.0, 255.0),
         light=(0.0, 3.0), medium=(0.0, 6.0), full=(0.0, 12.0), shifted=(12.0, 16.0)),
    Axis(name="jpeg_quality", group="sensor", what="quality that the picture is compressed with", unit="1-95",
         sampler="whole", nominal=None,
         allowed=(1, 95),
         light=(75, 95), medium=(55, 95), full=(35, 95), shifted=(25, 34)),
    Axis(name="lost_frames", group="sensor", what="share of frames that show the one before", unit="0-1",
         sampler="uniform", nominal=0.0,
         allowed=(0.0, 1.0),
         light=(0.0, 0.02), medium=(0.0, 0.05), full=(0.0, 0.1), shifted=(0.1, 0.15)),
)  # fmt: skip

TIMING = (
    Axis(name="action_delay", group="timing", what="time from an action to its effect", unit="s", sampler="uniform",
         nominal=0.0,
         allowed=(0.0, 1.0),
         light=(0.0, 0.01), medium=(0.0, 0.025), full=(0.0, 0.05), shifted=(0.05, 0.075)),
    Axis(name="observation_delay", group="timing", what="age of the picture", unit="control steps", sampler="whole",
         nominal=0.0,
         allowed=(0, 20),
         light=(0, 1), medium=(0, 1), full=(0, 2), shifted=(3, 3)),
    Axis(name="rate_jitter", group="timing", what="how much the length of a control step changes", unit="factor - 1",
         sampler="uniform", nominal=0.0,
         allowed=(0.0, 0.9),
         light=(0.0, 0.1), medium=(0.0, 0.2), full=(0.0, 0.34), shifted=(0.34, 0.42)),
)  # fmt: skip

ARM_AXES = (*LOOKS, *PHYSICS, *SENSOR, *TIMING)
CONTROL_AXES = (*LOOKS, *SENSOR, *TIMING)
"""Without the physics, which every control task has a table of its own for."""
