"""A batch whose frames are encoded when first asked for, and only once, however many objectives ask."""

from collections.abc import Mapping

from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from robossl.encoders import Encoder
from robossl.types import ClipBatch

_Cache = dict[tuple[int, int, int, bool], Tensor]


class EncodedBatch:
    """Frames, feature maps and features of a batch by group name and view."""

    def __init__(
        self,
        encoder: Encoder,
        batch: ClipBatch,
        *,
        names: Mapping[str, str] | None = None,
        caches: tuple[_Cache, _Cache] | None = None,
    ) -> None:
        """Wrap a batch; `names` maps an objective's own group names to those of the batch."""
        self.encoder = encoder
        self.batch = batch
        self._names = dict(names or {})
        self._maps, self._features = caches or ({}, {})

    def renamed(self, names: Mapping[str, str]) -> "EncodedBatch":
        """Return the same batch, and what was encoded of it, under other group names."""
        return EncodedBatch(self.encoder, self.batch, names=names, caches=(self._maps, self._features))

    def span(self, group: str) -> slice:
        """Return the range of a group on the T axis."""
        return self.batch.groups[self._names.get(group, group)]

    def has(self, group: str) -> bool:
        """Return whether the batch holds a group."""
        return self._names.get(group, group) in self.batch.groups

    def of(self, group: str, values: Tensor) -> Tensor:
        """Return the columns of a group from values `[B,T,...]`."""
        return values[:, self.span(group)]

    def valid(self, group: str) -> Bool[Tensor, "B n"]:
        """Return which frames of a group are no fillers."""
        return self.of(group, self.batch.valid)

    def pixels(self, group: str, *, view: int = 0) -> UInt8[Tensor, "B n C H W"]:
        """Return the frames of a group."""
        return self.batch.pixels[:, view, self.span(group)]

    def feature_map(self, group: str, *, view: int = 0, as_clip: bool = False) -> Float[Tensor, "B n C h w"]:
        """Return the feature maps of a group; no other frame takes part in them.

        Args:
            group: its name.
            view: camera or look.
            as_clip: let a video backbone see, with each frame, the frames of the group before it, which then have to be
                frames in a row. Other encoders see every frame by itself anyhow.
        """
        key = self._key(group, view, as_clip)
        if key not in self._maps:
            pixels = self.pixels(group, view=view)
            whole = pixels if as_clip else pixels.flatten(0, 1)[:, None]
            self._maps[key] = self.encoder.clip_map(whole).flatten(0, 1).unflatten(0, pixels.shape[:2])
        return self._maps[key]

    def features(self, group: str, *, view: int = 0, as_clip: bool = False) -> Float[Tensor, "B n D"]:
        """Return the features of a group; `as_clip` as in `feature_map`."""
        key = self._key(group, view, as_clip)
        if key not in self._features:
            maps = self.feature_map(group, view=view, as_clip=as_clip)
            self._features[key] = self.encoder.pool(maps.flatten(0, 1)).unflatten(0, maps.shape[:2])
        return self._features[key]

    def _key(self, group: str, view: int, as_clip: bool) -> tuple[int, int, int, bool]:
        span = self.span(group)
        return span.start, span.stop, view % self.batch.pixels.shape[1], as_clip and self.encoder.num_before > 0
