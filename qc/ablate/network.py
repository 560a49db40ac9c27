"""Networks that see coarser pixels or decide on whole windows. In: tiles as they are kept. Out: logits.

A coarser network averages the pixels of a tile before it looks, so that all runs see the same fields of tissue.
Detection cuts tiles into windows, looks at each alone and averages its logits: one decision for each window.
"""

from torch import Tensor
from torch.nn import functional

from qc.config.train import NetworkSettings
from qc.nets.build import Network
from qc.nets.image import MULTIPLE_PX
from qc.nets.pretrained import seeded


class VariedNetwork(Network):
    """(N, H, W, 3) uint8 in, (N, classes, H / stride, W / stride) logits out.

    Args:
        settings: Of the network.
        classes: How many it tells apart.
        reduction: Pixels of a tile, along each side, that are averaged into one.
        window_px: Side of the windows of detection in pixels of a tile; None decides on each cell.
    """

    def __init__(self, settings: NetworkSettings, classes: int, reduction: int, window_px: int | None) -> None:
        super().__init__(settings, classes)
        self.reduction, self.window_px = reduction, window_px

    @property
    def stride(self) -> int:
        """Pixels of a tile per decision."""
        return self.window_px or super().stride * self.reduction

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits.

        Args:
            rgb: (N, H, W, 3) uint8.
        """
        pixels = rgb.permute(0, 3, 1, 2).float() / 127.5 - 1
        if self.window_px is None:
            return self.body(self._seen(pixels))
        rows, columns = pixels.shape[2] // self.window_px, pixels.shape[3] // self.window_px
        windows = pixels.unflatten(2, (rows, -1)).unflatten(4, (columns, -1))
        windows = windows.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
        logits = self.body(self._seen(windows)).mean(dim=(2, 3))
        return logits.unflatten(0, (len(rgb), rows, columns)).permute(0, 3, 1, 2)

    def _seen(self, pixels: Tensor) -> Tensor:
        """Coarser pixels; what is smaller than the network can take is continued at its edges."""
        seen = functional.avg_pool2d(pixels, self.reduction) if self.reduction > 1 else pixels
        right, bottom = -seen.shape[3] % MULTIPLE_PX, -seen.shape[2] % MULTIPLE_PX
        return functional.pad(seen, (0, right, 0, bottom), mode="replicate") if right or bottom else seen


def build_varied(
    settings: NetworkSettings, classes: int, reduction: int, window_px: int | None, seed: int
) -> VariedNetwork:
    """A network with weights drawn by seed; the same weights for every reduction and output."""
    return seeded(lambda: VariedNetwork(settings, classes, reduction, window_px), seed)
