"""Trains the demo ranker, measures it and writes model.onnx and metrics.json."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

import evaluate
from data import ITEM_COUNT, interactions_file, leave_one_out, read_histories, windows
from export import export_ranker
from model import SequenceModel, Shape


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder that receives model.onnx and metrics.json")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training part")
    parser.add_argument("--width", type=int, default=64, help="embedding width")
    parser.add_argument("--dropout", type=float, default=0.3, help="share of activations dropped while training")
    parser.add_argument("--batch", type=int, default=128, help="windows in a step")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=17, help="seed of weights, order, windows and dropout")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; sums depend on it, so it is part of the recipe")
    parser.add_argument("--skip-test", action="store_true", help="choose settings: report validation only, write nothing")
    return parser.parse_args()


def make_repeatable(seed: int, threads: int) -> np.random.Generator:
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(threads)
    return np.random.default_rng(seed)


def rate_share(epoch: int, epochs: int) -> float:
    """Share of the peak learning rate: a linear rise over the first tenth, then a half cosine down to nearly 0."""
    rise = max(1, epochs // 10)
    if epoch <= rise:
        return epoch / rise
    return 0.5 * (1 + math.cos(math.pi * (epoch - rise) / (epochs - rise + 1)))


def train_epoch(model, optimiser, inputs: torch.Tensor, targets: torch.Tensor, batch: int) -> float:
    """One pass in random order; full softmax over all items at every step. Returns the mean loss."""
    model.train()
    losses = []
    for rows in torch.randperm(len(inputs)).split(batch):
        wanted = targets[rows]
        present = wanted > 0
        logits = model.logits(model.encode(inputs[rows])[present])[:, 1:]
        loss = cross_entropy(logits, wanted[present] - 1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def train(options: argparse.Namespace, split, rng: np.random.Generator) -> SequenceModel:
    model = SequenceModel(Shape(items=ITEM_COUNT, width=options.width, dropout=options.dropout))
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, weight_decay=0.05)
    started = time.perf_counter()
    for epoch in range(1, options.epochs + 1):
        optimiser.param_groups[0]["lr"] = options.learning_rate * rate_share(epoch, options.epochs)
        inputs, targets = windows(split.train, model.shape.length, rng)
        loss = train_epoch(model, optimiser, torch.from_numpy(inputs), torch.from_numpy(targets), options.batch)
        if epoch % 5 == 0 or epoch == options.epochs:
            found = evaluate.ranker(model, split, "validation")
            seconds = time.perf_counter() - started
            quality = f"validation HR@10 {found.hit_rate:.3f} NDCG@10 {found.ndcg:.3f}"
            print(f"epoch {epoch} loss {loss:.3f} {quality} {seconds:.0f} s", flush=True)
    return model.eval()


def main() -> None:
    options = parse_arguments()
    rng = make_repeatable(options.seed, options.threads)
    split = leave_one_out(read_histories(interactions_file()))
    model = train(options, split, rng)
    if options.skip_test:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    report = {
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "ranker": dataclasses.asdict(evaluate.ranker(model, split, "test")),
        "popularity": dataclasses.asdict(evaluate.popularity(split, "test", ITEM_COUNT)),
        "export": export_ranker(model, options.out / "model.onnx"),
    }
    (options.out / "metrics.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
