"""How a feature map becomes one feature vector without losing where things are."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FlattenPool(nn.Module):
    """All places of the map, one linear layer, LayerNorm: position stays linearly readable."""

    def __init__(self, channels: int, map_size: tuple[int, int], *, feature_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels * map_size[0] * map_size[1], feature_dim)
        self.norm = nn.LayerNorm(feature_dim)

    def forward(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the normalized projection of the whole map."""
        return self.norm(self.linear(feature_map.flatten(1)))


class SpatialSoftmaxPool(nn.Module):
    """Expected image coordinates of K learned keypoints, with how much of each is there.

    End-to-end training of deep visuomotor policies, 2016, arXiv 1504.00702; Deep spatial autoencoders, 2016,
    arXiv 1509.06113. Here a 1x1 convolution makes the K maps, the temperature is learned for each keypoint, each
    keypoint also gives its attended activation (a coordinate alone can't say that nothing was seen), and one linear
    layer leads to D.
    """

    coordinates: Tensor

    def __init__(
        self,
        channels: int,
        map_size: tuple[int, int],
        *,
        feature_dim: int,
        num_keypoints: int,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        height, width = map_size
        self.keypoints = nn.Conv2d(channels, num_keypoints, kernel_size=1)
        self.log_temperature = nn.Parameter(torch.full((num_keypoints, 1), temperature).log())
        self.linear = nn.Linear(3 * num_keypoints, feature_dim)
        # a bias as large as the coordinates would drown them until it is unlearned
        nn.init.zeros_(self.linear.bias)
        rows, columns = torch.meshgrid(
            torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
        )  # centre of the image is 0
        self.register_buffer("coordinates", torch.stack([rows, columns], -1).view(-1, 2), persistent=False)  # [hw,2]

    def forward(self, feature_map: Float[Tensor, "B C h w"]) -> Float[Tensor, "B D"]:
        """Return the projected keypoints."""
        scores = self.keypoints(feature_map).flatten(2)  # [B,K,hw]
        attention = torch.softmax(scores / self.log_temperature.exp(), dim=-1)
        expected = attention @ self.coordinates  # [B,K,2]
        presence = (attention * scores).sum(dim=-1)  # [B,K]
        return self.linear(torch.cat([expected.flatten(1), torch.tanh(presence)], dim=1))
