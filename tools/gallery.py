"""The gallery: each task in each setting as a strip of pictures, and the page that shows them.

    python tools/gallery.py

Writes `docs/gallery.md` and `docs/gallery/TASK.png`. A strip has a column for each setting and shows the same layout.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from jaxtyping import UInt8
from matplotlib.image import imsave

from robossl_envs.arms import TASKS, load_task

SETTINGS: dict[str, dict[str, Any]] = {
    "nominal": {"domain": "nominal"},
    "randomized (medium)": {"domain": "randomized"},
    "randomized (full)": {"domain": "randomized", "randomization": "full"},
    "shifted": {"domain": "shifted"},
    "heldout": {"domain": "heldout"},
    "heldout_hard": {"domain": "heldout_hard"},
}
CONTROL = ("CartPoleSwingUp", "TwoLinkReacher", "BallOnPlate", "RoomNavigation")
SMALL_PX, SCALE = 64, 2
"""What a policy sees, and how much larger it is shown."""
GAP_PX = 4
ROWS = ("the start at 128 px", "the start at 64 px, as policies see it", "half way", "the goal image")


def main() -> None:
    """Draw all strips and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*TASKS.values(), *CONTROL]
    parser.add_argument("--tasks", nargs="+", default=names, choices=names)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    folder = arguments.docs / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.tasks:
        strip = control_strip(name) if name in CONTROL else arm_strip(name)
        imsave(folder / f"{name}.png", strip)
        print(f"{folder / name}.png: {(folder / f'{name}.png').stat().st_size / 1e3:.0f} kB", flush=True)
    (arguments.docs / "gallery.md").write_text("\n".join(_page()), encoding="utf-8")


def arm_strip(name: str) -> UInt8[np.ndarray, "H W C"]:
    """Return the strip of an arm task: four rows with the Panda, and a last one with the xArm half way."""
    seed = list(TASKS.values()).index(name)  # so that strips show different held-out looks
    panda = [_column(f"Panda{name}", keywords, seed) for keywords in SETTINGS.values()]
    xarm = [_column(f"XArm{name}", keywords, seed)[2:3] for keywords in SETTINGS.values()]
    return _sheet([above + below for above, below in zip(panda, xarm, strict=True)])


def control_strip(name: str) -> UInt8[np.ndarray, "H W C"]:
    """Return the strip of a control task."""
    seed = CONTROL.index(name)
    settings = [keywords for setting, keywords in SETTINGS.items() if not setting.startswith("heldout")]
    return _sheet([_column(name, keywords, seed) for keywords in settings])


def _column(name: str, keywords: dict[str, Any], seed: int) -> list[UInt8[np.ndarray, "S S C"]]:
    """Return start at 128 px and 64 px, the middle of the expert's episode, and the goal image."""
    env_id = f"robossl_envs:robossl/{name}-v0"
    large: Any = gym.make(env_id, image_size=SCALE * SMALL_PX, **keywords)
    pictures = [large.reset(seed=seed)[0]["pixels"]["front"]]
    large.close()
    env: Any = gym.make(env_id, image_size=SMALL_PX, goal_image=True, **keywords).unwrapped
    observation, _ = env.reset(seed=seed)
    seen, expert, done = [observation["pixels"]["front"]], env.expert(seed=seed), False
    while not done:
        following, _, terminated, truncated, _ = env.step(expert.act({}))
        seen.append(following["pixels"]["front"])
        done = terminated or truncated
    env.close()
    small = (seen[0], seen[len(seen) // 2], observation["goal"])
    return pictures + [picture.repeat(SCALE, 0).repeat(SCALE, 1) for picture in small]


def _sheet(columns: Sequence[Sequence[UInt8[np.ndarray, "S S C"]]]) -> UInt8[np.ndarray, "H W C"]:
    side = SCALE * SMALL_PX + GAP_PX
    sheet = np.full((side * len(columns[0]) - GAP_PX, side * len(columns) - GAP_PX, 3), 255, np.uint8)
    for column, pictures in enumerate(columns):
        for row, picture in enumerate(pictures):
            sheet[row * side : row * side + side - GAP_PX, column * side : column * side + side - GAP_PX] = picture
    return sheet


def _page() -> Iterator[str]:
    yield "# Gallery"
    yield ""
    yield "Made by `python tools/gallery.py`. Columns, the same layout in each:"
    yield f"{', '.join(f'`{name}`' for name in SETTINGS)}."
    yield f"Rows: {', '.join(ROWS)}, and for the arms once more half way with the xArm; the rest shows the Panda."
    yield "Looks, presets and domains are told in [tasks](tasks.md)."
    for name, title in TASKS.items():
        yield from ("", f"## {title}: {load_task(name).sentences[0]}", "", f"![{title}](gallery/{title}.png)")
    yield from (
        "",
        "## Control tasks",
        "",
        "`nominal`, `randomized (medium)`, `randomized (full)` and `shifted`; there is no",
    )
    yield "held-out engine for them. They are described in [control tasks](control.md)."
    for title in CONTROL:
        yield from ("", f"![{title}](gallery/{title}.png)")
    yield ""


if __name__ == "__main__":
    main()
