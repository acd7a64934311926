"""Read an offline W&B run with W&B's own protobuf messages: `python tools/read_wandb.py runs/NAME`.

The file is a LevelDB log: a header of 7 bytes, then blocks of 32 KiB with records (checksum 4, length 2, type 1 bytes);
a record that crosses blocks comes as first (2), middle (3) and last (4) parts, any other is full (1).
"""

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from wandb.proto.wandb_internal_pb2 import Record

_BLOCK = 32768


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of one `.wandb` file."""
    data, position, parts = path.read_bytes(), 7, b""
    while position + 7 <= len(data):
        if _BLOCK - position % _BLOCK < 7:
            position += _BLOCK - position % _BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield Record.FromString(parts)
            parts = b""


def latest_file(run: Path) -> Path:
    """Return the `.wandb` file of the last time that the run was started."""
    return max(run.glob("wandb/*run-*/*.wandb"), key=lambda path: path.parent.name)


def history(records: list[Record]) -> list[dict]:
    """Return the rows that were logged."""
    rows = [record.history for record in records if record.WhichOneof("record_type") == "history"]
    return [{item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in row.item} for row in rows]


if __name__ == "__main__":
    for row in history(list(read_records(latest_file(Path(sys.argv[1]))))):
        print(json.dumps(row))
