"""Which part of `heldout_hard` takes a policy's success: the domain with one part at a time as it is in `nominal`.

    python tools/heldout_hard_parts.py --policy=runs/policy-stack/policy
    python tools/heldout_hard_parts.py --policy=runs/policy-stack/policy --parts nothing clutter

The domain itself is frozen and takes no `randomization`, so its parts are replaced in this process alone. For analysis:
what is chosen by such numbers can't be measured in `heldout_hard` any more.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from robossl.config.evaluate import EvaluateConfig
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.evaluate import evaluate
from robossl_envs import env
from robossl_envs.cameras import CAMERAS
from robossl_envs.heldout_hard import hard_look
from robossl_envs.randomization import randomization
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Light, Look
from robossl_envs.simulation.scene import BodySpec, Dynamics

DOMAIN = "heldout_hard"
SEED = 5_000_000
SHOWN = ("n", "successes", "success_rate", "low", "high")


def _as_usual(change: Callable[[Look, Mapping[str, Camera]], Look]) -> Callable[..., Look]:
    """Return `hard_look` with a part of it changed."""

    def look(seed: int, cameras: Mapping[str, Camera] = CAMERAS, bodies: Sequence[BodySpec] = ()) -> Look:
        return change(hard_look(seed, cameras, bodies), cameras)

    return look


PARTS: dict[str, dict[tuple[Any, str], Any]] = {
    "nothing": {},
    "clutter": {(env, "CLUTTER"): (), (env, "draw_clutter"): lambda generator, layout, **_: layout},
    "camera": {(randomization, "hard_look"): _as_usual(lambda look, cameras: replace(look, cameras=dict(cameras)))},
    "light": {(randomization, "hard_look"): _as_usual(lambda look, cameras: replace(look, light=Light()))},
    "dynamics": {(randomization, "hard_dynamics"): lambda *_: Dynamics()},
    "delay": {(randomization, "hard_delay_s"): lambda seed: 0.0},
}
"""What is taken away, and what stands in its place."""


def main() -> None:
    """Measure the policy without each part and print the table; a part that was measured is not measured again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", required=True, help="directory of a policy")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--num-episodes", type=int, default=34)
    parser.add_argument("--output", type=Path, default=Path("runs/heldout-hard-parts"))
    arguments = parser.parse_args()
    rows = [[part, *_measured(part, arguments)] for part in arguments.parts]
    note = "Success in heldout_hard without one part of it, on the same episodes; Wilson's 95 % interval."
    print(as_markdown({"title": arguments.policy, "columns": ["without", *SHOWN], "rows": rows, "note": note}))


def _measured(part: str, arguments: argparse.Namespace) -> list[Any]:
    config = EvaluateConfig(
        output=arguments.output / part,
        policy=arguments.policy,
        domains=(DOMAIN,),
        num_episodes=arguments.num_episodes,
        seed=SEED,
        num_workers=1,  # in this process, where the parts are replaced
    )
    with _without(part):
        cell = run_stage("evaluate", evaluate, config)["domains"][DOMAIN]
    return [round(cell[name], 3) for name in SHOWN]


@contextmanager
def _without(part: str) -> Iterator[None]:
    patches = [patch.object(module, name, value) for (module, name), value in PARTS[part].items()]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


if __name__ == "__main__":
    main()
