"""A network whose outputs are probabilities: logits over a temperature, plus the logarithm of the true prior."""

import torch
from torch import Tensor, nn

from qc.nets.build import Network


class Calibrated(nn.Module):
    """(N, H, W, 3) uint8 in, (N, classes, h, w) float32 probabilities out."""

    temperature: Tensor
    prior: Tensor

    def __init__(self, network: Network, temperature: float = 1.0, prior: list[float] | None = None) -> None:
        super().__init__()
        self.network = network
        count = network.classes
        self.register_buffer("temperature", torch.tensor(float(temperature)))
        self.register_buffer("prior", torch.tensor(prior or [0.0] * count).reshape(1, count, 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        """See the class."""
        return torch.softmax(self.network(rgb) / self.temperature + self.prior, dim=1)
