"""Run by torchrun from `test_distributed.py`: one DDP step's loss and gradients, without an optimizer."""

import sys
from pathlib import Path

import torch
from tiny_pretraining import tiny_loader, tiny_objective

from robossl.training import processes
from robossl.training.distributed import joint_average
from robossl.training.loop import _wrapped


def main() -> None:
    with processes("cpu") as here:
        objective = tiny_objective()
        model = _wrapped(objective, here)
        output = model(tiny_loader(objective, batch_size=8, here=here)(3))
        output.loss.backward()
        loss = joint_average(output.loss.detach())
        if here.is_first:
            gradients = {name: p.grad for name, p in objective.named_parameters() if p.grad is not None}
            torch.save({"loss": loss, "gradients": gradients}, Path(sys.argv[1]) / "joint.pt")


main()  # in a function, so that DDP's model is gone before the interpreter ends
