"""Draw the frame from its features."""

from robossl.config.schema import Positive
from robossl.data.clip_sampling import instant_window
from robossl.encoders import Encoder
from robossl.objectives.objective import Objective
from robossl.objectives.parts.decoder import FrameDecoder
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_errors import frame_errors, mean_psnr_db, unit_frames
from robossl.objectives.parts.gather import joint_mean
from robossl.types import ObjectiveOutput


class Autoencoder(Objective):
    """Mean squared error of the frame drawn from D numbers; a reference without time.

    Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks, 2006.
    """

    def __init__(self, encoder: Encoder, *, num_instants: Positive = 2) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_instants: of each clip, spread over its episode.
        """
        super().__init__(encoder)
        self.window = instant_window(num_instants=num_instants, num_views=1)
        self.decoder = FrameDecoder(encoder.feature_dim, image_size=encoder.image_size)

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the mean error of valid frames."""
        drawn = self.decoder(encoded.features("anchor").flatten(0, 1))
        truth = unit_frames(encoded.pixels("anchor").flatten(0, 1), drawn)
        errors, valid = frame_errors(drawn, truth), encoded.valid("anchor").flatten()
        return ObjectiveOutput(loss=joint_mean(errors, valid), metrics={"psnr_db": mean_psnr_db(errors, valid)})
