"""A small self-attentive sequential recommender (after SASRec, Kang and McAuley, ICDM 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

MASKED = -1e9
"""Finite, so that a row in which everything is masked gives equal shares and not NaN."""


@dataclass(frozen=True)
class Shape:
    items: int
    length: int = 50
    """Steps of history the model looks at."""
    width: int = 64
    heads: int = 2
    layers: int = 2
    dropout: float = 0.3


class Attention(nn.Module):
    """Causal self-attention, written out so that the exported graph holds plain MatMul and Softmax nodes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.head_width = shape.width // shape.heads
        self.project = nn.Linear(shape.width, 3 * shape.width)
        self.merge = nn.Linear(shape.width, shape.width)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        length, width = x.shape[1], x.shape[2]
        parts = self.project(x).reshape(-1, length, 3, self.heads, self.head_width)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = query @ key.transpose(-1, -2) * self.head_width**-0.5 + mask
        mixed = self.dropout(torch.softmax(weights, dim=-1)) @ value
        return self.merge(mixed.transpose(1, 2).reshape(-1, length, width))


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.width)
        self.attention = Attention(shape)
        self.dense_norm = nn.LayerNorm(shape.width)
        self.dense = nn.Sequential(
            nn.Linear(shape.width, 2 * shape.width),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(2 * shape.width, shape.width),
        )
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x), mask))
        return x + self.dropout(self.dense(self.dense_norm(x)))


class SequenceModel(nn.Module):
    """Logits for the item that follows each step of a history; the item embedding is also the output layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.item = nn.Embedding(shape.items + 1, shape.width)
        self.position = nn.Parameter(torch.zeros(shape.length, shape.width))
        self.dropout = nn.Dropout(shape.dropout)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.bias = nn.Parameter(torch.zeros(shape.items + 1))
        nn.init.normal_(self.item.weight, std=0.02)
        nn.init.normal_(self.position, std=0.02)
        causal = torch.ones(shape.length, shape.length, dtype=torch.bool).tril()
        self.register_buffer("causal", causal, persistent=False)
        self.register_buffer("diagonal", torch.eye(shape.length, dtype=torch.bool), persistent=False)

    def encode(self, steps: Tensor) -> Tensor:
        """steps [batch, length] INT64 -> [batch, length, width].

        A step sees the items before it and itself, never padding. A padding step sees only itself and has no
        position, so that every empty history gets the same vector wherever its padding ends.
        """
        present = steps > 0
        x = self.item(steps) + self.position * present.unsqueeze(-1)
        seen = (self.causal & present.unsqueeze(1)) | self.diagonal
        mask = torch.where(seen, 0.0, MASKED).unsqueeze(1)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, mask)
        return self.norm(x)

    def logits(self, encoded: Tensor) -> Tensor:
        """[..., width] -> [..., items + 1]; column 0 belongs to padding and is never a prediction."""
        return encoded @ self.item.weight.t() + self.bias


class Ranker(nn.Module):
    """What is served: a history of any length in, the most likely next items out."""

    def __init__(self, model: SequenceModel, top: int = 10) -> None:
        super().__init__()
        self.model = model
        self.top = top

    def forward(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """history [batch, any] INT64, oldest first -> items [batch, top] INT64 and scores [batch, top] FP32.

        Ids outside 1..items are skipped wherever they stand: 0 and -1 as padding on either side, items that came after
        training. Scores are the model's probabilities for the next item, over the items not in `history`.
        """
        known = (history > 0) & (history <= self.model.shape.items)
        ids = torch.cat([history.new_zeros((history.shape[0], self.model.shape.length)), history * known], dim=1)
        logits = self.model.logits(self.model.encode(self.recent(ids))[:, -1])
        probabilities = torch.softmax(logits.scatter(1, ids, MASKED), dim=-1)
        scores, items = torch.topk(probabilities, self.top, dim=-1)
        return items, scores

    def recent(self, ids: Tensor) -> Tensor:
        """The last `length` known items in their order, zeros before them: [0 7 0 8 0], length 3 -> [0 7 8].

        The topmost places of known items are the newest ones. Everything else gets place 0, which forward() padded.
        """
        places = torch.where(ids > 0, torch.arange(ids.shape[1]), 0)
        newest_first = torch.topk(places, self.model.shape.length, dim=1).values
        return ids.gather(1, newest_first.flip(1))
