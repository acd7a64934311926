"""Video files: open them with the best decoder, read exact frames, write and join them."""

from robossl.data.video.encode import encode_video, join_videos
from robossl.data.video.open import open_video
from robossl.data.video.reader import VideoReader
from robossl.errors import VideoReadError

__all__ = ["VideoReadError", "VideoReader", "encode_video", "join_videos", "open_video"]
