"""Importing the engine prints nothing, and what is printed afterwards comes through."""

import subprocess
import sys


def test_importing_pybullet_prints_nothing() -> None:
    code = (
        "import sys; print('before', file=sys.stderr)\n"
        "from robossl_envs.quiet_pybullet import pybullet\n"
        "assert pybullet.DIRECT == 2; print('after', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.split() == ["before", "after"]
