"""The learning curves of a training, as CSV and as a picture. Importing this costs a second (Lightning)."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from geoai.files import appearing_whole

logger = logging.getLogger(__name__)

COLUMNS = ("epoch", "step", "minutes", "learning_rate", "train_loss", "val_loss", "val_iou")


class Curves(pl.Callback):
    """Writes curves.csv and curves.png into *folder* after every epoch, and says the figures in a log line.

    A resumed training goes on with the same file; what an epoch that is done again had written is replaced.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the epoch's row; validation, where there was one, has run before."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if "train_loss" not in metrics:  # resumed at the end of an epoch, whose row is there
            return
        validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
        row: dict[str, Any] = {
            "epoch": trainer.current_epoch,
            "step": trainer.global_step,
            "minutes": round(pl_module.seconds() / 60, 2),  # type: ignore[operator]
            "learning_rate": f"{trainer.optimizers[0].param_groups[-1]['lr']:.3g}",
            "train_loss": round(metrics["train_loss"], 4),
        }
        if validated:
            row |= {name: round(metrics[name], 4) for name in ("val_loss", "val_iou") if name in metrics}
        rows = [r for r in read_curves(self.folder / "curves.csv") if int(r["epoch"]) < row["epoch"]]
        rows.append({name: str(row.get(name, "")) for name in COLUMNS})
        with appearing_whole(self.folder / "curves.csv") as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        plot_curves(rows, self.folder / "curves.png")
        logger.info("%s", ", ".join(f"{name} {value}" for name, value in row.items()))


def read_curves(path: Path) -> list[dict[str, str]]:
    """Return the rows of a curves.csv; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def plot_curves(rows: list[dict[str, str]], path: Path) -> None:
    """Draw the losses, and the IoU of the held-out images, over the epochs (PNG)."""
    from matplotlib.figure import Figure

    def points(name: str) -> tuple[list[int], list[float]]:
        told = [(int(row["epoch"]) + 1, float(row[name])) for row in rows if row[name]]
        return [epoch for epoch, _ in told], [value for _, value in told]

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    losses, iou = figure.subplots(1, 2)
    losses.plot(*points("train_loss"), label="training")
    losses.plot(*points("val_loss"), "o-", label="held out")
    losses.set(xlabel="epoch", ylabel="loss")
    losses.legend()
    iou.plot(*points("val_iou"), "o-", color="tab:green")
    iou.set(xlabel="epoch", ylabel="IoU, held out")
    for axes in (losses, iou):
        axes.grid(alpha=0.3)
    with appearing_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=90)
