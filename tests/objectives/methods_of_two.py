"""Run by torchrun from `test_methods_of_two.py`: loss and gradients of each task, with the batch cut over two ranks."""

import sys
from pathlib import Path

import torch
from tiny_methods import METHODS, SHORT, batch_for, rows_of, tiny_method

from robossl.training import processes
from robossl.training.distributed import joint_average
from robossl.training.loop import _wrapped


def main() -> None:
    found = {}
    with processes("cpu") as here:
        for name in METHODS:
            objective = tiny_method(name)
            batch = batch_for(objective, lengths=SHORT)
            model = _wrapped(objective, here)  # kept: its hooks join the gradients
            output = model(rows_of(batch, [2 * here.rank, 2 * here.rank + 1]))
            output.loss.backward()
            gradients = {key: p.grad for key, p in objective.named_parameters() if p.grad is not None}
            found[name] = {"loss": joint_average(output.loss.detach()), "gradients": gradients}
        if here.is_first:
            torch.save(found, Path(sys.argv[1]) / "joint.pt")


main()
