"""The Lightning task that trains a segmentation network. Importing this costs many seconds (torchgeo)."""

from __future__ import annotations

import math
import time
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchgeo.trainers import SemanticSegmentationTask
from torchmetrics import JaccardIndex

from geoai.model import IMAGENET_MEAN, IMAGENET_STD
from geoai.samples import IGNORE, Crops, LabelledImage, Source, Wholes

WARM_UP = 0.04
"""Part of the training in which the learning rate rises."""
TRUSTED_AFTER = 0.25
"""Part of the training after which the network may overrule a noisy label it is sure is wrong."""


class CrossEntropyAndDice(nn.Module):
    """Cross entropy plus soft Dice of the classes (not of the background), over the pixels not IGNORE."""

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of *logits* (sample, class, row, col) against *target* (sample, row, col)."""
        known = target != IGNORE
        cross_entropy = F.cross_entropy(logits, target, ignore_index=IGNORE, reduction="sum")
        seen = logits.softmax(dim=1)[:, 1:] * known.unsqueeze(1)
        classes = torch.arange(1, logits.shape[1], device=target.device)
        truth = (target.unsqueeze(1) == classes.view(1, -1, 1, 1)).to(seen.dtype)
        both = (seen * truth).sum(dim=(0, 2, 3))
        smooth = 64.0  # px: a batch without the class then asks only for little of it
        dice = (2 * both + smooth) / (seen.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + smooth)
        loss: Tensor = cross_entropy / known.sum().clamp(min=1) + (1 - dice).mean()
        return loss


def without_errors(target: Tensor, probability: Tensor, noisy: Tensor) -> Tensor:
    """Return *target* with IGNORE where a noisy label contradicts a *probability* that is all but certain.

    A map lacks new houses and holds demolished ones; learning them as truth would teach to repeat the map.
    *target* (sample, row, col), *probability* of any class (sample, row, col), *noisy* (sample,).
    """
    wrong = ((target == 0) & (probability > 0.8)) | ((target > 0) & (probability < 0.05))
    return torch.where(wrong & noisy.view(-1, 1, 1), IGNORE, target)


class SegmentationTask(SemanticSegmentationTask):
    """torchgeo's task with our loss, one-cycle schedule and bounded time.

    The schedule runs by what is further: steps done of *total_steps*, or time used of *budget_s*, so that
    a training on a busy machine still ends on time and at a low learning rate.
    """

    mean: Tensor
    std: Tensor
    total_steps: int = 1
    budget_s: float = math.inf
    weight_decay: float = 0.01

    def configure_models(self) -> None:
        """Make the network, channels last, and the normalisation that belongs to its encoder."""
        super().configure_models()
        self.model.to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, -1, 1, 1), persistent=False)
        self.used_s = 0.0
        self.started: float | None = None

    def configure_losses(self) -> None:
        """Use cross entropy plus Dice."""
        self.criterion = CrossEntropyAndDice()

    def configure_metrics(self) -> None:
        """Measure IoU per class on the held-out images."""
        classes: int = self.hparams["num_classes"]
        self.val_iou = JaccardIndex(task="multiclass", num_classes=classes, ignore_index=IGNORE, average=None)

    def forward(self, chips: Tensor) -> Tensor:
        """Return logits (sample, class, row, col) of uint8 *chips* (sample, band, row, col)."""
        scaled = (chips.float() / 255 - self.mean) / self.std
        logits: Tensor = self.model(scaled.contiguous(memory_format=torch.channels_last))
        return logits.float()

    def training_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Tensor:
        """Return the loss; noisy labels are cleaned once the network is worth listening to."""
        logits, target = self(batch["image"]), batch["mask"]
        if self.progress() > TRUSTED_AFTER:
            probability = 1 - logits.detach().softmax(dim=1)[:, 0]
            target = without_errors(target, probability, batch["noisy"])
        loss: Tensor = self.criterion(logits, target)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(target))
        if self.progress() >= 1:
            self.trainer.should_stop = True
        return loss

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Gather loss and IoU."""
        logits = self(batch["image"])
        self.val_iou.update(logits, batch["mask"])
        self.log("val_loss", self.criterion(logits, batch["mask"]), batch_size=len(logits))

    def on_validation_epoch_end(self) -> None:
        """Log the IoU of the classes, background left out."""
        iou: Tensor = self.val_iou.compute()
        self.log("val_iou", iou[1:].mean())
        self.val_iou.reset()

    def progress(self) -> float:
        """Return how much of the training is done, 0 … 1."""
        used_s = self.used_s + (time.monotonic() - self.started if self.started is not None else 0.0)
        return min(1.0, max(self.global_step / self.total_steps, used_s / self.budget_s))

    def on_train_start(self) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the time used, so that a resumed training does not start it over."""
        checkpoint["used_s"] = self.used_s + time.monotonic() - (self.started or time.monotonic())

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the time used."""
        self.used_s = checkpoint["used_s"]

    def configure_optimizers(self) -> Any:
        """AdamW; the encoder, trained before, learns at a third; linear rise, then cosine to 1 %."""
        encoder = list(self.model.encoder.parameters())
        others = [*self.model.decoder.parameters(), *self.model.segmentation_head.parameters()]
        lr: float = self.hparams["lr"]
        groups = [{"params": encoder, "lr": lr / 3}, {"params": others, "lr": lr}]
        optimizer = torch.optim.AdamW(groups, weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: one_cycle(self.progress()))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def one_cycle(progress: float) -> float:
    """Return the factor of the learning rate at *progress* 0 … 1.

    >>> [round(one_cycle(p), 2) for p in (0.0, 0.02, 0.04, 0.52, 1.0)]
    [0.01, 0.51, 1.0, 0.51, 0.01]
    """
    if progress < WARM_UP:
        return 0.01 + 0.99 * progress / WARM_UP
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


class CropData(pl.LightningDataModule):
    """Crops drawn anew for every epoch, and held-out images whole."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        held_out: tuple[LabelledImage, ...],
        *,
        epoch_samples: int,
        batch: int,
        seed: int,
        size_px: int,
        gsd_range_m: tuple[float, float],
        loader_workers: int,
    ) -> None:
        super().__init__()
        self.sources, self.held_out = sources, held_out
        self.epoch_samples, self.batch, self.seed = epoch_samples, batch, seed
        self.size_px, self.gsd_range_m, self.loader_workers = size_px, gsd_range_m, loader_workers

    def train_dataloader(self) -> DataLoader[dict[str, object]]:
        """Return the crops of the current epoch, which a resumed training draws the same."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        crops = Crops(
            self.sources,
            self.epoch_samples,
            seed=(self.seed, epoch),
            size_px=self.size_px,
            gsd_range_m=self.gsd_range_m,
        )
        return DataLoader(crops, self.batch, num_workers=self.loader_workers, drop_last=True)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[dict[str, object]]:
        """Return the held-out images, one a batch."""
        return DataLoader(Wholes(self.held_out))  # type: ignore[arg-type]
