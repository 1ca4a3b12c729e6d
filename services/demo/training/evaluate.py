"""HR@k and NDCG@k by full ranking: the target against every item that the user has not had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from data import Split, left_pad
from model import SequenceModel


@dataclass(frozen=True)
class Metrics:
    users: int
    hit_rate: float
    hit_rate_error: float
    """Standard error of the mean over users."""
    ndcg: float
    ndcg_error: float


def histories_for(split: Split, stage: str) -> tuple[list[np.ndarray], np.ndarray]:
    """What is known of each user before the target, and the target. The test history includes the validation item."""
    if stage == "validation":
        return split.train, split.validation
    return [np.append(items, last) for items, last in zip(split.train, split.validation)], split.test


def summarise(scores: np.ndarray, histories: list[np.ndarray], targets: np.ndarray, k: int = 10) -> Metrics:
    """scores [users, items + 1]. Ties count against the target, so a constant score earns nothing."""
    hits, gains = [], []
    for row, history, target in zip(scores, histories, targets):
        rivals = np.delete(row, np.unique(np.concatenate([[0], history, [target]])))
        rank = int(np.sum(rivals >= row[target]))
        hits.append(float(rank < k))
        gains.append(1 / np.log2(rank + 2) if rank < k else 0.0)
    users = len(hits)

    def error(values: list[float]) -> float:
        return float(np.std(values, ddof=1) / np.sqrt(users))

    return Metrics(users, float(np.mean(hits)), error(hits), float(np.mean(gains)), error(gains))


def popularity(split: Split, stage: str, items: int) -> Metrics:
    """The baseline: every user gets the items most often seen in the training part."""
    counts = np.bincount(np.concatenate(split.train), minlength=items + 1).astype(np.float64)
    histories, targets = histories_for(split, stage)
    return summarise(np.tile(counts, (len(targets), 1)), histories, targets)


@torch.no_grad()
def ranker(model: SequenceModel, split: Split, stage: str) -> Metrics:
    histories, targets = histories_for(split, stage)
    model.eval()
    steps = torch.from_numpy(np.stack([left_pad(history, model.shape.length) for history in histories]))
    parts = [model.logits(model.encode(part)[:, -1]) for part in steps.split(128)]
    return summarise(torch.cat(parts).numpy(), histories, targets)
