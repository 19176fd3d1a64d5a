"""The Lightning task that trains a segmentation network. Importing this costs many seconds (torchgeo)."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F  # noqa: N812  (the field's name for it)
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchgeo.trainers import SemanticSegmentationTask
from torchmetrics import JaccardIndex

from geoai.errors import ModelError
from geoai.model import build_network
from geoai.samples import IGNORE, Crops, CropSettings, Source, Wholes

WARM_UP = 0.04
"""Part of the training in which the learning rate rises."""
AVERAGING = 0.998
"""Decay a step of the average of the weights, which is what is validated and packed."""
NEVER = -1e4
"""Logit of a class that a source does not tell."""


class CrossEntropyAndDice(nn.Module):
    """Cross entropy plus soft Dice of the classes (not of the background), over the pixels not IGNORE.

    A source that tells only some classes says of its background that it is none of *those*: the probability
    of the others is added to the background's before the loss is taken (marginal loss, Shi et al. 2021,
    Medical Image Analysis 70:101979).
    """

    def forward(self, logits: Tensor, target: Tensor, labelled: Tensor | None = None) -> Tensor:
        """Return the loss of *logits* (sample, class, row, col) against *target* (sample, row, col).

        *labelled* (sample, class), background first, says which classes the sample's source tells; all if
        it is left out.
        """
        if labelled is not None:
            logits = merged(logits, labelled)
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


def merged(logits: Tensor, labelled: Tensor) -> Tensor:
    """Return *logits* (sample, class, …) with the classes not *labelled* (sample, class) in the background.

    The background's probability becomes the sum of theirs and its own; they become impossible.
    """
    told = labelled[:, :, None, None]
    others = logits.masked_fill(told, NEVER)
    others[:, 0] = logits[:, 0]
    background = others.logsumexp(dim=1, keepdim=True)
    return torch.cat([background, logits.masked_fill(~told, NEVER)[:, 1:]], dim=1)


class SegmentationTask(SemanticSegmentationTask):
    """torchgeo's task with our loss, one-cycle schedule and bounded time.

    The schedule runs by what is further: steps done of *total_steps*, or time used of *budget_s*, so that
    a training on a busy machine still ends on time and at a low learning rate. It stops at *until*.
    """

    mean: Tensor
    std: Tensor
    total_steps: int = 1
    budget_s: float = math.inf
    until: float = 1.0
    weight_decay: float = 0.01
    identity: str = ""

    def normalise(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Set what is taken from, and what divides, each band's values 0 … 1."""
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def configure_models(self) -> None:
        """Make the network as a package's is rebuilt, with random weights, channels last."""
        self.model = build_network(
            self.hparams["model"],
            self.hparams["backbone"],
            band_count=self.hparams["in_channels"],
            class_count=self.hparams["num_classes"],
        )
        self.model.to(memory_format=torch.channels_last)
        self.used_s = 0.0
        self.started: float | None = None

    def configure_losses(self) -> None:
        """Use cross entropy plus Dice."""
        self.criterion = CrossEntropyAndDice()

    def configure_metrics(self) -> None:
        """Measure IoU per class on the held-out images."""
        classes: int = self.hparams["num_classes"]
        self.val_iou = JaccardIndex(task="multiclass", num_classes=classes, ignore_index=IGNORE, average=None)

    def forward(self, chips: Tensor, present: Tensor | None = None) -> Tensor:
        """Return logits (sample, class, row, col) of uint8 *chips* (sample, band, row, col).

        A band that is not *present* (sample, band) is 0 after normalisation, as if it were its mean.
        """
        scaled = (chips.float() / 255 - self.mean) / self.std
        if present is not None:
            scaled = scaled * present[:, :, None, None]
        logits: Tensor = self.model(scaled.contiguous(memory_format=torch.channels_last))
        return logits.float()

    def training_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Tensor:
        """Return the loss; raise ModelError where it is no number, before anything is saved."""
        logits = self(batch["image"], batch["present"])
        loss: Tensor = self.criterion(logits, batch["mask"], batch["labelled"])
        if not torch.isfinite(loss):
            raise ModelError(
                f"training: expected a finite loss, found {loss.item()} at step {self.global_step}; the last "
                "checkpoint is as it was; a lower learning_rate may help"
            )
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(logits))
        if self.until >= 1 and self.progress() >= 1:
            self.trainer.should_stop = True
        return loss

    def on_train_epoch_end(self) -> None:
        """End a round between epochs, so that the next one begins with a whole one."""
        if self.progress() >= self.until:
            self.trainer.should_stop = True

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Gather loss and IoU."""
        logits = self(batch["image"], batch["present"])
        told = merged(logits, batch["labelled"])
        self.val_iou.update(told, batch["mask"])
        self.log("val_loss", self.criterion(told, batch["mask"]), batch_size=len(logits))

    def on_validation_epoch_end(self) -> None:
        """Log the IoU of the classes, background left out."""
        iou: Tensor = self.val_iou.compute()
        self.log("val_iou", iou[1:].mean())
        self.val_iou.reset()

    def progress(self) -> float:
        """Return how much of the training is done, 0 … 1."""
        return min(1.0, max(self.global_step / self.total_steps, self.seconds() / self.budget_s))

    def seconds(self) -> float:
        """Return the time used for training, earlier sittings included."""
        return self.used_s + (time.monotonic() - self.started if self.started is not None else 0.0)

    def on_train_start(self) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the time used, so that a resumed training does not start it over, and what is trained."""
        checkpoint["used_s"] = self.seconds()
        checkpoint["identity"] = self.identity
        checkpoint["finished"] = int(time.time())

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the time used."""
        self.used_s = checkpoint["used_s"]

    def configure_optimizers(self) -> Any:
        """AdamW; the encoder, trained before, learns at a third; linear rise, then cosine to 1 %."""
        encoder = list(self.model.encoder.parameters())
        ours = {id(parameter) for parameter in encoder}
        others = [parameter for parameter in self.model.parameters() if id(parameter) not in ours]
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


def averaging() -> WeightAveraging:
    """Return a callback that keeps an exponential moving average of the weights, short at first."""

    def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        if not averaged.is_floating_point():  # batch norm's count of batches
            return current
        decay = min(AVERAGING, (1 + int(count)) / (10 + int(count)))
        return averaged.lerp(current, 1 - decay)

    return WeightAveraging(avg_fn=average)


class CropData(pl.LightningDataModule):
    """Crops drawn anew for every epoch, and held-out images whole."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        held_out: tuple[Source, ...],
        *,
        epoch_samples: int,
        batch: int,
        seed: int,
        crops: CropSettings,
        class_count: int,
        loader_workers: int,
    ) -> None:
        super().__init__()
        self.sources, self.held_out = sources, held_out
        self.epoch_samples, self.batch, self.seed = epoch_samples, batch, seed
        self.crops, self.class_count, self.loader_workers = crops, class_count, loader_workers

    def train_dataloader(self) -> DataLoader[dict[str, object]]:
        """Return the crops of the current epoch, which a resumed training draws the same."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        crops = Crops(self.sources, self.epoch_samples, (self.seed, epoch), self.crops, self.class_count)
        return DataLoader(crops, self.batch, num_workers=self.loader_workers, drop_last=True)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[dict[str, object]]:
        """Return the held-out images, one a batch."""
        wholes = Wholes(self.held_out, self.crops.band_count, self.class_count)
        return DataLoader(wholes)  # type: ignore[arg-type]
