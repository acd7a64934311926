"""Make clean data sets of ten kinds and more, and check that the doctor finds nothing wrong with them.

    python tools/check_doctor.py --footage FOLDER [--sets MORE ...] [--folder KEEP]

Collected of several tasks, policies and cameras, imported from videos and from LeRobot v2.1, merged, split, and what is
named with `--sets`, such as one that lerobot wrote (`tools/check_lerobot.py --rewritten`). FOLDER holds `general/` with
videos and `robot/g1_bottle/`, a recorded set. Exit code 0: no false alarm. The seeded faults are in
`tests/data/test_examine.py`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from robossl.cli import main as robossl
from robossl.data.doctor import FAULTS, examine

COLLECTED = {
    "reach, play": ("--env_id=robossl/PandaReach-v0", "--domain=randomized"),
    "push, expert": ("--env_id=robossl/PandaPush-v0", "--policy=expert", "--domain=nominal"),
    "lift, expert": ("--env_id=robossl/XArmLift-v0", "--policy=expert"),
    "cart-pole, random": ("--env_id=robossl/CartPoleSwingUp-v0", "--policy=random"),
    "reach, two looks": ("--env_id=robossl/PandaReach-v0", "--second_look", "--seed=50"),
}


def made(folder: Path, footage: Path) -> dict[str, Path]:
    """Make the data sets that are not there yet; return them by name."""
    sets = {name: folder / name.replace(", ", "-").replace(" ", "-") for name in COLLECTED}
    for name, words in COLLECTED.items():
        call(sets[name], "collect", *words, "--num_episodes=6", "--num_workers=1")
    sets |= {name: folder / name.replace(" ", "-") for name in ("imported videos", "imported v2.1", "merged")}
    call(sets["imported videos"], "import", str(footage / "general"), "--image_size", "120", "160")
    call(sets["imported v2.1"], "import", str(footage / "robot/g1_bottle"))
    more = folder / "more"
    call(more, "collect", "--env_id=robossl/PandaReach-v0", "--num_episodes=5", "--num_workers=1", "--seed=90")
    call(sets["merged"], "merge", f"--datasets={sets['reach, play']}", f"--datasets={more}")
    call(folder / "split", "split", f"--dataset={sets['merged']}", "--test_fraction=0.3")
    return sets | {f"split, {side}": folder / "split" / side for side in ("train", "test")}


def call(output: Path, *words: str) -> None:
    """Run a command of robossl's, unless its result is there."""
    if not any(output.rglob("meta/info.json")) and robossl([*words, "--output", str(output)]):
        raise SystemExit(f"robossl {' '.join(words)} fails")


def main() -> int:
    """Examine all sets and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, required=True)
    parser.add_argument("--sets", type=Path, nargs="*", default=[], help="more data sets that are clean")
    parser.add_argument("--folder", type=Path, help="keep the sets here; by default they are thrown away")
    arguments = parser.parse_args()
    alarms = 0
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        sets = {"recorded robot, v2.1": arguments.footage / "robot/g1_bottle", **{str(p): p for p in arguments.sets}}
        sets |= made(folder, arguments.footage)
        for name, path in sets.items():
            found = examine(path)
            alarms += len(found.faults)
            size = f"{found.figures['episodes']} episodes, {found.figures['frames']} frames"
            print(f"{name}: {size}, {len(found.faults)} faults, {len(found.findings)} findings", flush=True)
            for finding in found.faults:
                print(f"  {finding}")
    print(f"{len(sets)} clean sets, {alarms} false alarms; the doctor knows {len(FAULTS)} kinds of fault")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
