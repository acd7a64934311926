"""Two gloo processes are one process with the joint batch."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from tiny_pretraining import tiny_loader, tiny_objective

from robossl.training import Processes

GRADIENTS = Path(__file__).with_name("gradients_of_two.py")


def test_two_processes_have_the_loss_and_the_gradient_of_one_with_the_joint_batch(tmp_path) -> None:
    """All five objectives at once; the clips are cut so that valid frames are spread unevenly over the ranks."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(GRADIENTS.parents[1])}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(GRADIENTS), str(tmp_path)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    joint = torch.load(tmp_path / "joint.pt", weights_only=True)

    objective = tiny_objective()
    batch = tiny_loader(objective, batch_size=8)(3)
    output = objective(batch)
    output.loss.backward()
    torch.testing.assert_close(joint["loss"], output.loss.detach(), rtol=1e-5, atol=1e-6)
    gradients = {name: p.grad for name, p in objective.named_parameters() if p.grad is not None}
    assert joint["gradients"].keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(joint["gradients"][name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_the_ranks_cut_the_joint_batch_into_parts() -> None:
    objective = tiny_objective()
    joint = tiny_loader(objective, batch_size=8)(5)
    parts = [
        tiny_loader(objective, batch_size=8, here=Processes(rank=rank, world_size=2, device=torch.device("cpu")))(5)
        for rank in range(2)
    ]
    assert torch.equal(torch.cat([part.pixels for part in parts]), joint.pixels)
    assert torch.equal(torch.cat([part.indices for part in parts]), joint.indices)
