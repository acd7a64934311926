"""Draw an instant as the other view would show it."""

import torch

from robossl.config.schema import Positive
from robossl.data.clip_sampling import Window
from robossl.data.clip_specs import Far, Spread
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.decoder import FrameDecoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_errors import frame_errors, mean_psnr_db, unit_frames
from robossl.objectives.parts.gather import joint_mean
from robossl.types import ObjectiveOutput


class OtherLook(Objective):
    """From the features of an instant in the first view, and another instant of the second view, draw it in the second.

    Sim-to-real via sim-to-sim: randomized-to-canonical adaptation networks, 2019, arXiv 1812.07252. There the second
    look is always the canonical one; where it is drawn at random, as in collected play, only another instant can tell
    it, and what moves has to come from the first view. That instant is the skip: the drawn frame is a change of it.
    """

    def __init__(self, encoder: Encoder, *, num_instants: Positive = 2) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
        """
        super().__init__(encoder)
        instants = Spread(num_instants)
        self.window = Window(specs=(("anchor", instants), ("reference", Far(instants, 0.0))), num_views=2)
        self.decoder = FrameDecoder(3 * encoder.feature_dim, image_size=encoder.image_size, change=True)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the error of the drawn frames; the metric stands beside that of taking the other instant instead."""
        known = [
            encoded.features("anchor", view=0),
            encoded.features("reference", view=0),
            encoded.features("reference", view=1),
        ]
        drawn = self.decoder(torch.cat(known, dim=-1).flatten(0, 1))
        reference = unit_frames(encoded.pixels("reference", view=1).flatten(0, 1), drawn)
        truth = unit_frames(encoded.pixels("anchor", view=1).flatten(0, 1), drawn)
        valid = (encoded.valid("anchor") & encoded.valid("reference")).flatten()
        errors = frame_errors(reference + drawn, truth)
        return ObjectiveOutput(
            loss=joint_mean(errors, valid),
            metrics={
                "psnr_db": mean_psnr_db(errors, valid),
                "reference_psnr_db": mean_psnr_db(frame_errors(reference, truth), valid),
            },
        )
