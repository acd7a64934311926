"""Two processes are one with the joint batch, in every pretext task: statistics, negatives and partners cross ranks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_methods import METHODS, SHORT, batch_for, tiny_method

SCRIPT = Path(__file__).with_name("methods_of_two.py")


@pytest.fixture(scope="module")
def joint(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Loss and gradients of all tasks, from one start of two processes; short episodes, so that ranks differ."""
    folder = tmp_path_factory.mktemp("two")
    paths = os.pathsep.join([str(SCRIPT.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(SCRIPT), str(folder)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return torch.load(folder / "joint.pt", weights_only=True)


@pytest.mark.parametrize("name", METHODS)
def test_two_processes_have_the_loss_and_the_gradient_of_one_with_the_joint_batch(name: str, joint: dict) -> None:
    objective = tiny_method(name)
    output = objective(batch_for(objective, lengths=SHORT))
    output.loss.backward()
    torch.testing.assert_close(joint[name]["loss"], output.loss.detach(), rtol=1e-9, atol=1e-12)
    gradients = {key: p.grad for key, p in objective.named_parameters() if p.grad is not None}
    assert joint[name]["gradients"].keys() == gradients.keys()
    for key, gradient in gradients.items():
        torch.testing.assert_close(joint[name]["gradients"][key], gradient, rtol=1e-7, atol=1e-10, msg=key)
