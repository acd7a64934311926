"""What the doctor can find, and what to do about each."""

from dataclasses import dataclass

FAULTS = {
    # the description of a data set
    "unfinished_recording": "run the command that recorded it again, or EpisodeWriter(root, fps_hz=...).finalize()",
    "broken_info": "copy the data set again",
    "hostile_path": "do not use it; a data set's files lie inside of it",
    "wrong_total_episodes": "write the number of rows of meta/episodes into meta/info.json",
    "wrong_total_frames": "write the sum of the lengths into meta/info.json",
    "broken_episode_table": "copy meta/episodes again",
    "broken_task_table": "copy meta/tasks.parquet again, with the sentence as its index",
    "split_out_of_range": "name only episodes that there are in splits of meta/info.json",
    "split_overlap": "put each episode into one split in meta/info.json",
    "split_shares_layout": "keep episodes of one env and seed in one split",
    "unreadable_dtype": "store it as float32, float64, int64 or bool: rerun refuses the whole set otherwise",
    "stale_stats": "compute meta/stats.json again",
    # its files
    "missing_file": "copy the file again, or remove the episode",
    "missing_footer": "the recorder was killed: the rows are lost, record or copy the file again",
    "unreadable_shard": "copy the file again",
    "missing_column": "write the column, or take the feature out of meta/info.json",
    # rows
    "wrong_length": "correct length in meta/episodes, or copy the file again",
    "too_short": "remove the episode: nothing can be learned from a single frame",
    "frame_index_broken": "number the rows of the episode from 0",
    "index_broken": "number the rows of the data set one after the other",
    "episode_index_broken": "write the episode's own number into its rows",
    "timestamp_drift": "write timestamp = frame_index / fps",
    "clock_stands_still": "write timestamp = frame_index / fps",
    "wrong_task": "write the task_index of the sentence that meta/episodes names",
    "unknown_task": "add the sentence to meta/tasks.parquet",
    "not_finite": "remove the episode, or interpolate the row",
    "dead_actions": "remove the episode, or look at the driver: nothing was commanded",
    "saturated_actions": "scale the actions, or record slower motion",
    "action_lag": "shift the actions of the episode to where the others have them",
    "duplicate_episodes": "remove one of them",
    # videos
    "unreadable_video": "copy it again; a recording that was cut off may be mended by untrunc",
    "damaged_video": "copy it again, or import it with --damaged=keep_prefix",
    "wrong_declared_count": "copy the stream into a new file",
    "no_frame_times": "encode it again at a constant rate: random access is slow, and frames have no time",
    "variable_frame_rate": "import it: frames are taken by their time",
    "wrong_fps": "correct fps in meta/info.json, or encode the video at it",
    "wrong_size": "correct the shape in meta/info.json",
    "video_too_short": "encode the episode again: rows have no frame",
    "from_timestamp_drift": "write from_timestamp = frames before it / fps",
    # pictures
    "black_frames": "cut them off, or look at the camera",
    "frozen_frames": "remove the stretch: the camera stood still while the robot moved",
    "mostly_static": "remove it: hardly anything moves in it",
    "swapped_cameras": "exchange the two videos of the episode",
    "mirrored_twin": "remove it from the test split, or mirror actions too: it is another episode flipped",
}
"""Kind of fault to what to do; any of them makes the exit code 1."""
NOTES = {
    "several_video_streams": "the first is read; name the one that you want by copying it into a file of its own",
    "decord_is_wrong": "nothing: another decoder is used; other programs that read with decord get wrong frames",
    "start_offset": "nothing: times are counted from the first frame",
    "turned": "nothing: frames are turned upright; other programs may not",
    "shot_cuts": "nothing for footage: import and pretrain make an episode of each shot; part episodes there",
    "static_stretches": "nothing, or static_weight below 1 in a source of pretrain: little is learned from them",
    "orphan_file": "remove it: no episode lies in it",
    "no_task": "name the task in meta/tasks.parquet, or with --task when importing",
}
"""Kind of remark to what to do; none makes the exit code 1."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found."""

    kind: str
    where: str
    """Episode, or a path below what is examined."""
    what: str
    episode: int | None = None
    frame: int | None = None
    """Where in the episode, if it is seen in a picture."""
    camera: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong, and not only worth knowing."""
        return self.kind in FAULTS

    @property
    def fix(self) -> str:
        """What to do about it."""
        return (FAULTS | NOTES)[self.kind]

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.where}: {self.what} [{self.kind}] → {self.fix}"
