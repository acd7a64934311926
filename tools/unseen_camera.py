"""How many frames off an encoder is when it is asked which instant a camera shows that it was not trained on.

    python tools/unseen_camera.py DATASET --ask cam04 --encoder runs/pretrain/encoder

DATASET holds synchronous cameras (`robossl import --cameras ...`). Each frame of the asked camera is looked up among
those of all others; beside the encoder stand the pixels. Random order is a third of the episode off, always the middle
a quarter.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from robossl.data.frame_cache import CachedSource
from robossl.data.sources import open_source
from robossl.encoders import load_encoder
from robossl.evaluation.instants import instant_error, nearest_instants
from robossl.stages.probe_frames import as_rows, encode


def main() -> None:
    """Print a line for the encoder and one for the pixels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--ask", required=True, help="the camera that was not trained on")
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--episode", type=int, default=0)
    parser.add_argument("--reach", type=int, default=5, help="frames on each side that a question holds too")
    arguments = parser.parse_args()
    encoder = load_encoder(arguments.encoder).eval()
    source = CachedSource(open_source(arguments.dataset), encoder.image_size)
    if arguments.ask not in source.cameras or len(source.cameras) < 2:
        parser.error(f"--ask is {arguments.ask!r}; the data have {', '.join(source.cameras)}, and two are needed")
    rows = np.arange(source.lengths[arguments.episode])
    frames = {camera: source.frames(arguments.episode, rows, camera) for camera in source.cameras}
    kinds: dict[str, Callable[[np.ndarray], np.ndarray]] = {"encoder": partial(encode, encoder), "pixels": as_rows}
    for name, features_of in kinds.items():
        features = {camera: features_of(shown) for camera, shown in frames.items()}
        asked = features.pop(arguments.ask)
        off = instant_error(nearest_instants(asked, list(features.values()), reach=arguments.reach))
        print(f"{name}: {off:.1f} of {len(rows)} frames off (chance {len(rows) / 3:.0f})")


if __name__ == "__main__":
    main()
