"""OpenGL and torch in one process."""

import subprocess
import sys

import pytest

from robossl_envs.rendering.gl_context import NoGlError, choose_backend


def test_torch_makes_an_optimizer_after_a_heldout_picture() -> None:
    """Both Mesa and triton hold an LLVM; loaded in the wrong order the process dies, as in a demo on one core."""
    try:
        choose_backend()
    except NoGlError:
        pytest.skip("no GL library on this machine")
    code = (
        "from robossl_envs.rendering.gl_context import make_context\n"
        "make_context()\n"
        "import torch; torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
