"""decord hangs and crashes in a process of its own, and an open reader goes with its process."""

import multiprocessing
import multiprocessing.connection
import os
import signal
from pathlib import Path

import pytest
from decoders import prefer_decord, require  # noqa: F401
from recordings import read_stamp, write_stamped

from robossl.data.video import (
    VideoReader,
    VideoReadError,
    decord_process,
    open_video,
)
from robossl.data.video.check import check_file
from robossl.data.video.decord_process import DecordReader


@pytest.mark.usefixtures("prefer_decord")
def test_a_hanging_decoder_is_ended_and_pyav_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_stamped(tmp_path / "video.mp4", 20)
    reader = open_video(path)
    assert read_stamp(reader.read([3])[0]) == 3
    assert reader.decoder == "decord"
    monkeypatch.setattr(decord_process, "FRAME_LIMIT_S", 0.2)
    os.kill(decord_process._server()._process.pid, signal.SIGSTOP)
    assert [read_stamp(frame) for frame in reader.read([5, 4])] == [5, 4]
    assert reader.decoder == "pyav"
    assert "no answer within" in check_file(path).problems["decord"]
    assert open_video(path).decoder == "pyav"


def test_a_hang_inside_of_the_decoder_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("decord")
    monkeypatch.setattr(decord_process, "FRAME_LIMIT_S", 0.2)
    os.mkfifo(tmp_path / "waits.mp4")
    with pytest.raises(VideoReadError, match=r"waits.mp4: decord (hung or crashed|gave no answer)"):
        DecordReader(tmp_path / "waits.mp4")


@pytest.mark.usefixtures("prefer_decord")
def test_a_crash_over_one_file_costs_the_others_nothing(tmp_path: Path) -> None:
    readers = [open_video(write_stamped(tmp_path / f"{name}.mp4", 20 + name)) for name in range(2)]
    assert [read_stamp(reader.read([7])[0]) for reader in readers] == [7, 7]
    os.kill(decord_process._server()._process.pid, signal.SIGKILL)
    assert [read_stamp(reader.read([9])[0]) for reader in readers] == [9, 9]
    assert [reader.decoder for reader in readers] == ["pyav", "decord"]


@pytest.mark.usefixtures("prefer_decord")
def test_the_decoding_process_is_replaced_after_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_video(write_stamped(tmp_path / "a.mp4", 20))
    assert read_stamp(first.read([7])[0]) == 7
    before = decord_process._server()
    monkeypatch.setattr(decord_process, "MAX_OPENS", 1)
    second = open_video(write_stamped(tmp_path / "b.mp4", 21))
    assert read_stamp(second.read([8])[0]) == 8
    assert not before.is_alive
    assert read_stamp(first.read([9])[0]) == 9
    assert first.decoder == "decord"


def read_elsewhere(reader: VideoReader, answers: multiprocessing.connection.Connection) -> None:
    answers.send([read_stamp(frame) for frame in reader.read([11, 3])])
    reader.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_open_reader_works_in_another_process(tmp_path: Path, method: str) -> None:
    readers = [
        open_video(write_stamped(tmp_path / "steady.mp4", 20)),
        open_video(write_stamped(tmp_path / "vfr.mp4", 20, steps=(1, 3))),
    ]
    context = multiprocessing.get_context(method)
    for reader in readers:
        assert read_stamp(reader.read([5])[0]) == 5
        here, there = context.Pipe()
        process = context.Process(target=read_elsewhere, args=(reader, there), daemon=True)
        process.start()
        assert here.poll(30), "no answer"
        assert here.recv() == [11, 3]
        process.join(30)
        # a forked copy of this process also ends what others left open in it, which may fail by itself
        assert process.exitcode == 0 or method == "fork"
        assert read_stamp(reader.read([6])[0]) == 6
