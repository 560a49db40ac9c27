"""Which epoch a sampler draws for. In: a training by Lightning. Out: a sampler that is told, after a resume too."""

import lightning as L  # noqa: N812 - its own documentation's name


class Epochs(L.Callback):
    """Tells batch samplers that have `set_epoch` which epoch begins."""

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """See Lightning."""
        sampler = getattr(trainer.train_dataloader, "batch_sampler", None)
        if sampler is not None and hasattr(sampler, "set_epoch"):
            sampler.set_epoch(trainer.current_epoch)
