"""What `robossl benchmark` refuses before hours of work, and not after them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from robossl.config.benchmark import BenchmarkConfig
from robossl.config.recipe import FURTHER, SCRIPTED, TRAINED
from robossl.encoders import load_encoder
from robossl.errors import ConfigError, closest
from robossl.stages.benchmark_cells import Cell


def check_encoders(config: BenchmarkConfig) -> None:
    """Refuse an encoder that is not known, or can't be loaded.

    Raises:
        ConfigError, EncoderError: as they say.
    """
    known = (*TRAINED, *FURTHER, *config.given)
    for name in config.encoders:
        if name not in known:
            raise ConfigError(f"unknown encoder {name!r}: use {', '.join(known)}{closest(name, known)}")
    for name, path in config.given.items():
        if name in (taken := (*TRAINED, *FURTHER, *SCRIPTED)):
            raise ConfigError(f"an encoder of yours can't be called {name!r}: {', '.join(taken)} are names already")
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise ConfigError(f"an encoder of yours can't be called {name!r}: use letters, digits and _")
        load_encoder(path)


def open_folder(cells: Path) -> None:
    """Make the folder of cells, and refuse one that none can be written to.

    Raises:
        ConfigError: names the folder.
    """
    cells.mkdir(parents=True, exist_ok=True)
    if not os.access(cells, os.W_OK):
        raise ConfigError(f"the folder of cells {cells} can't be written to; name another one: --cells=DIR")


def refuse_others(cells: Sequence[Cell], folder: Path) -> None:
    """Refuse to measure over cells of another benchmark, which may have taken hours.

    Raises:
        ConfigError: names the first of them.
    """
    others = [cell.path(folder) for cell in cells if cell.is_another(folder)]
    if others:
        more = f" (and {len(others) - 1} more)" if others[1:] else ""
        raise ConfigError(
            f"{others[0]}{more} was measured with other settings or in another world; name another --cells, or let it "
            "be replaced with --renew"
        )
