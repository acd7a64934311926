"""Tiny videos with their frame number burnt in, and tiny episodes. For tests only."""

import struct
from pathlib import Path

import av
import numpy as np

from robossl.types import Episode

NUM_BITS = 10
FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "footage"


def stamped(number: int, *, height: int = 48, width: int = 96) -> np.ndarray:
    """A frame uint8 [H, W, 3]: its number in Gray code as blocks at the top, a drifting gradient below.

    From one number to the next a single block changes, so that no step looks like a cut.
    """
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0] = np.linspace(0, 200, width).astype(np.uint8)
    image[..., 1] = np.roll(np.linspace(0, 200, height), number).astype(np.uint8)[:, None]
    block = width // NUM_BITS
    for bit in range(NUM_BITS):
        image[: height // 3, bit * block : (bit + 1) * block] = 255 if (number ^ number >> 1) >> bit & 1 else 0
    return image


def read_stamp(frame: np.ndarray) -> int:
    """The number in a frame [3, H, W]."""
    _, height, width = frame.shape
    block = width // NUM_BITS
    bits = [frame[:, 1 : height // 3 - 1, b * block + 1 : (b + 1) * block - 1].mean() > 127 for b in range(NUM_BITS)]
    number = 0
    for bit in reversed(bits):  # from the highest on, each bit of the code says whether the number's own changes
        number = number << 1 | ((number & 1) ^ int(bit))
    return number


def write_stamped(
    path: Path,
    num_frames: int,
    *,
    gop: int = 12,
    b_frames: int = 0,
    fps_hz: int = 30,
    codec: str = "libx264",
    size: tuple[int, int] = (48, 96),
    steps: tuple[int, ...] = (1,),
    start: int = 0,
    pix_fmt: str = "yuv420p",
    muxer: dict[str, str] | None = None,
    first: int = 0,
) -> Path:
    """Encode stamped frames; `steps` are the times between frames in units of 1/fps, repeated, `start` the first;
    `first` is the number in the first frame."""
    options = {
        "libx264": {"crf": "12", "bf": str(b_frames), "threads": "1"},
        "libx265": {"x265-params": f"log-level=none:crf=12:bframes={b_frames}:keyint={gop}:pools=none"},
        "libvpx-vp9": {"crf": "12", "b": "0", "cpu-used": "8"},
        "libsvtav1": {"crf": "12", "preset": "12", "svtav1-params": "lp=1"},
        "mpeg4": {"qscale": "2", "bf": str(b_frames)},
        "mjpeg": {"qmin": "2", "qmax": "2"},
    }.get(codec, {})
    with av.open(str(path), "w", options=muxer or ({"update": "1"} if codec == "png" else {})) as container:
        stream = container.add_stream(codec, rate=fps_hz, options=options)
        stream.height, stream.width = size
        stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, pix_fmt)
        stream.gop_size = gop
        pts = start
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(stamped(first + number, height=size[0], width=size[1]), format="rgb24")
            if codec == "gif":
                frame = frame.reformat(format="rgb8")
            frame.pts = pts
            pts += steps[number % len(steps)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def set_display_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write (a, b, c, d) of the display matrix into the track header of an mp4 file."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (value * 65536 for value in matrix)
    content[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(content))


def make_episode(
    seed: int, *, num_steps: int = 6, size: int = 32, cameras: tuple[str, ...] = ("front", "wrist"), task: str = "reach"
) -> Episode:
    """An episode whose frames carry the number 100 * seed + i."""
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape).astype(np.float32)

    frames = np.stack([stamped((100 * seed + i) % 1024, height=size, width=size) for i in range(num_steps + 1)])
    return Episode(
        pixels={camera: frames if number == 0 else 255 - frames for number, camera in enumerate(cameras)},
        proprio=normal(num_steps + 1, 4),
        environment_state=normal(num_steps + 1, 6),
        visual_state=normal(num_steps + 1, 11),
        actions=np.tanh(normal(num_steps, 3)),
        rewards=normal(num_steps),
        terminated=seed % 2 == 0,
        truncated=seed % 2 == 1,
        success=seed % 2 == 0,
        goal=normal(3),
        seed=seed,
        env_id="robossl/PandaReach-v0",
        domain="randomized",
        renderer="tiny",
        task=task,
        fps_hz=20.0,
        variations={"light": 0.5, "colour": np.array([1.0, 0.0, 0.5]), "texture": "wood"},
    )
