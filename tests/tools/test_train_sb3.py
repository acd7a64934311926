"""Without its extra, the tool names it in one line."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/train_sb3.py"


def test_without_stable_baselines3_one_line_names_the_extra() -> None:
    code = (
        f"import runpy, sys; sys.modules['stable_baselines3'] = None;runpy.run_path({str(TOOL)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == "tools/train_sb3.py needs the extra sb3, which is not installed: pip install -e '.[sb3]'"
