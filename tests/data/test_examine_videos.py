"""The doctor finds what is wrong with plain videos."""

import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from doctor_sets import cut
from recordings import set_display_matrix, write_stamped

from robossl.data.doctor import examine
from robossl.data.doctor import video as doctor_video
from robossl.data.video import encode_video
from robossl.data.video.check import check_every_frame
from robossl.errors import DataError


def doubled_times(path: Path, whole: Path) -> None:
    """Copy a file so that two frames each have the same time."""
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            packet.pts = packet.dts = number // 2 * packet.duration
            packet.stream = stream
            target.mux(packet)


def test_a_count_that_the_file_does_not_keep_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stamped(tmp_path / "a.mp4", 10)
    known = check_every_frame(tmp_path / "a.mp4")
    # a packet that gives no frame, as in recordings by old cameras
    monkeypatch.setattr(doctor_video, "check_every_frame", lambda path: replace(known, num_promised=11))
    (fault,) = examine(tmp_path).faults
    assert str(fault).startswith("a.mp4: 10 frames, but it says 11 [wrong_declared_count]")


def test_faults_of_plain_videos_are_found(tmp_path: Path) -> None:
    write_stamped(tmp_path / "good.mp4", 40)
    write_stamped(tmp_path / "vfr.mp4", 40, steps=(1, 3))
    write_stamped(tmp_path / "late.mkv", 42, start=50)
    (tmp_path / "text.mp4").write_bytes(b"no video")
    shutil.copy(tmp_path / "good.mp4", tmp_path / "same.mp4")
    cut(write_stamped(tmp_path / "cut.mp4", 60, muxer={"movflags": "+faststart"}))
    set_display_matrix(write_stamped(tmp_path / "turned.mp4", 41), (0, 1, -1, 0))
    encode_video(tmp_path / "black.mp4", [np.zeros((48, 96, 3), dtype=np.uint8)] * 20, fps_hz=20)
    found = examine(tmp_path)
    assert {(finding.where, finding.kind) for finding in found.faults} == {
        ("vfr.mp4", "variable_frame_rate"),
        ("text.mp4", "unreadable_video"),
        ("cut.mp4", "damaged_video"),
        ("same.mp4", "duplicate_episodes"),
        ("black.mp4", "black_frames"),
    }
    remarks = {(finding.where, finding.kind) for finding in found.findings if not finding.is_fault}
    assert {("late.mkv", "start_offset"), ("turned.mp4", "turned"), ("black.mp4", "static_stretches")} <= remarks
    assert examine(tmp_path / "good.mp4").findings == []
    doubled_times(tmp_path / "doubled.mkv", tmp_path / "good.mp4")
    assert {finding.kind for finding in examine(tmp_path / "doubled.mkv").faults} == {"no_frame_times"}
    with pytest.raises(DataError, match="does not exist"):
        examine(tmp_path / "none")
