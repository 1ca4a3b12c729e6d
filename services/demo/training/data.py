"""MovieLens-100k as one time-ordered list of item ids per user, read from the installed recbole wheel."""

from __future__ import annotations

import csv
import importlib.util
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ITEM_COUNT = 1682
"""Item ids are 1..ITEM_COUNT; 0 is padding."""


@dataclass(frozen=True)
class Split:
    """Leave-one-out: a user's last item is the test target, the one before it the validation target."""

    train: list[np.ndarray]
    """Per user, all items but the last two, oldest first."""
    validation: np.ndarray
    """[users] INT64, the last item but one."""
    test: np.ndarray
    """[users] INT64, the last item."""


def interactions_file() -> Path:
    """Finds the ratings without importing recbole, whose own dependencies are not needed here."""
    spec = importlib.util.find_spec("recbole")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("recbole is not installed: pip install --no-deps recbole==1.2.1")
    return Path(spec.submodule_search_locations[0], "dataset_example", "ml-100k", "ml-100k.inter")


def read_histories(path: Path) -> list[np.ndarray]:
    """One array of item ids per user, oldest first, users in the order of their ids.

    Timestamps are whole seconds: the 100,000 ratings have only 49,439 different pairs of user and second. Python's
    sort is stable, so ties keep the order of the file and every run sees the same sequences.
    """
    rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            rows[int(row["user_id:token"])].append((int(float(row["timestamp:float"])), int(row["item_id:token"])))
    histories = []
    for user in sorted(rows):
        ordered = sorted(rows[user], key=lambda pair: pair[0])
        histories.append(np.array([item for _, item in ordered], dtype=np.int64))
    return histories


def leave_one_out(histories: list[np.ndarray]) -> Split:
    return Split(
        train=[history[:-2] for history in histories],
        validation=np.array([history[-2] for history in histories]),
        test=np.array([history[-1] for history in histories]),
    )


def windows(train: list[np.ndarray], length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cuts each user's sequence into windows of at most `length` steps, at an offset drawn anew on each call.

    Returns inputs and targets, both [windows, length] INT64 and padded with 0 on the left. The target of a step is
    the item that follows it. The first item of a user is the target of a padding step: that is how the model learns
    what to say to somebody without a history. Worked example, length 3, items 7 8 9 5, offset 2:
    inputs  [0 0 7] [8 9]  -> [0 0 7] [0 8 9]
    targets [0 7 8] [9 5]  -> [0 7 8] [0 9 5]
    """
    inputs, targets = [], []
    for items in train:
        steps = np.concatenate([[0], items[:-1]])
        offset = int(rng.integers(1, length + 1))
        bounds = [0, *range(offset, len(items), length), len(items)]
        for start, end in zip(bounds[:-1], bounds[1:]):
            if end > start:
                inputs.append(left_pad(steps[start:end], length))
                targets.append(left_pad(items[start:end], length))
    return np.stack(inputs), np.stack(targets)


def left_pad(items: np.ndarray, length: int) -> np.ndarray:
    """The last `length` items, filled up with 0 on the left."""
    padded = np.zeros(length, dtype=np.int64)
    tail = items[-length:]
    if len(tail):
        padded[-len(tail) :] = tail
    return padded
