"""Rates that fall when a loss no longer does. In: a training by Lightning that logs a loss. Out: lower rates.

Lightning steps such a schedule after it has written its checkpoint, so a training that was stopped would forget an
epoch; a callback that holds its own state does not.
"""

import math
from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name


class Plateau(L.Callback):
    """Multiplies every rate by a factor when the loss has not fallen for more than so many validations.

    Args:
        monitor: Name under which the loss is logged.
        factor: Below 1.
        patience: Validations without a lower loss that are waited for.
    """

    def __init__(self, monitor: str, factor: float, patience: int) -> None:
        self._monitor, self._factor, self._patience = monitor, factor, patience
        self._best, self._waited = math.inf, 0

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """See Lightning."""
        loss = float(trainer.callback_metrics[self._monitor])
        self._best, self._waited = (loss, 0) if loss < self._best else (self._best, self._waited + 1)
        if self._waited > self._patience:
            self._waited = 0
            for group in (group for optimiser in trainer.optimizers for group in optimiser.param_groups):
                group["lr"] *= self._factor

    def state_dict(self) -> dict[str, Any]:
        """See Lightning."""
        return {"best": self._best, "waited": self._waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See Lightning."""
        self._best, self._waited = state_dict["best"], state_dict["waited"]
