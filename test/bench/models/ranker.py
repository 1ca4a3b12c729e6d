"""Rankers with random weights: hashed embeddings, transformer blocks over behaviours, candidates scored by attention.

    behaviours [b,100] -- mod --> table -- + position --> blocks --> states [b,100,w]
                                    |                                     |
    candidates [b,50] -- mod -----> table --> c [b,50,w] ---------> attention --> context [b,50,w]
    [c, context, c * context] --> dense --> scores [b,50]

Ids are hashed into the table by remainder, so that every INT64 is a valid id and random inputs need no vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from graph import FLOAT, INT64, Graph

BEHAVIOURS = 100
CANDIDATES = 50


@dataclass(frozen=True)
class RankerShape:
    name: str
    items: int
    width: int
    heads: int
    blocks: int


SHAPES = (
    # 30,000 x 64 = 1.9 M parameters in the table.
    RankerShape("ranker2m", items=30_000, width=64, heads=1, blocks=1),
    # 102,000 x 256 = 26.1 M parameters in the table, 0.79 M in each block.
    RankerShape("ranker32m", items=102_000, width=256, heads=4, blocks=7),
)


class RankerGraph(Graph):
    def __init__(self, shape: RankerShape, rng: np.random.Generator) -> None:
        super().__init__(shape.name)
        self.shape = shape
        self.rng = rng

    def random(self, name: str, *dims: int, scale: float) -> str:
        return self.weight(name, self.rng.standard_normal(dims, dtype=np.float32) * np.float32(scale))

    def dense(self, x: str, name: str, wide_in: int, wide_out: int) -> str:
        weights = self.random(f"{name}.weight", wide_in, wide_out, scale=wide_in**-0.5)
        bias = self.random(f"{name}.bias", wide_out, scale=0.01)
        return self.add("Add", [self.add("MatMul", [x, weights], f"{name}.product"), bias], name)

    def normed(self, x: str, name: str) -> str:
        scale = self.weight(f"{name}.scale", np.ones(self.shape.width, np.float32))
        bias = self.weight(f"{name}.bias", np.zeros(self.shape.width, np.float32))
        return self.add("LayerNormalization", [x, scale, bias], name, axis=-1)

    def heads(self, x: str, name: str, length: int, order: tuple[int, ...]) -> str:
        """[b, length, width] -> heads apart, in the given order of axes."""
        dims = self.ints(f"{name}.dims", 0, length, self.shape.heads, self.shape.width // self.shape.heads)
        return self.add("Transpose", [self.add("Reshape", [x, dims], f"{name}.apart")], name, perm=order)

    def attention(self, query: str, memory: str, name: str, queries: int) -> str:
        """query [b, queries, width] looks at memory [b, BEHAVIOURS, width]; padding is masked out."""
        width = self.shape.width
        q = self.heads(self.dense(query, f"{name}.query", width, width), f"{name}.q", queries, (0, 2, 1, 3))
        k = self.heads(self.dense(memory, f"{name}.key", width, width), f"{name}.k", BEHAVIOURS, (0, 2, 3, 1))
        v = self.heads(self.dense(memory, f"{name}.value", width, width), f"{name}.v", BEHAVIOURS, (0, 2, 1, 3))
        raw = self.add("Mul", [self.add("MatMul", [q, k], f"{name}.dot"), "head_scale"], f"{name}.scaled")
        shares = self.add("Softmax", [self.add("Add", [raw, "mask"], f"{name}.masked")], f"{name}.shares", axis=-1)
        mixed = self.add("Transpose", [self.add("MatMul", [shares, v], f"{name}.mixed")], f"{name}.back", perm=(0, 2, 1, 3))
        joined = self.add("Reshape", [mixed, self.ints(f"{name}.joined_dims", 0, queries, width)], f"{name}.joined")
        return self.dense(joined, f"{name}.merge", width, width)

    def block(self, x: str, name: str) -> str:
        width = self.shape.width
        inner = self.normed(x, f"{name}.norm1")
        x = self.add("Add", [x, self.attention(inner, inner, f"{name}.attention", BEHAVIOURS)], f"{name}.attended")
        wide = self.dense(self.normed(x, f"{name}.norm2"), f"{name}.up", width, 4 * width)
        narrow = self.dense(self.add("Relu", [wide], f"{name}.relu"), f"{name}.down", 4 * width, width)
        return self.add("Add", [x, narrow], f"{name}.out")

    def embed(self, ids: str) -> str:
        """[b, n] INT64 -> [b, n, width]. Mod takes the sign of the divisor: negative ids land in the table too."""
        rows = self.add("Mod", [ids, "item_count"], f"{ids}.rows")
        return self.add("Gather", ["table", rows], f"{ids}.embedded", axis=0)

    def shared_values(self) -> None:
        self.ints("item_count", self.shape.items)
        self.ints("padding_id", 0)
        self.ints("mask_axes", 1, 2)
        self.weight("masked", np.array(-1e9, np.float32))
        self.weight("open", np.array(0, np.float32))
        self.weight("head_scale", np.array((self.shape.width // self.shape.heads) ** -0.5, np.float32))
        self.random("table", self.shape.items, self.shape.width, scale=1.0)
        self.random("position", BEHAVIOURS, self.shape.width, scale=0.1)

    def padding_mask(self, behaviours: str) -> None:
        empty = self.add("Equal", [behaviours, "padding_id"], "empty")
        additive = self.add("Where", [empty, "masked", "open"], "additive")
        self.add("Unsqueeze", [additive, "mask_axes"], "mask")

    def score(self, candidates: str, states: str) -> str:
        width = self.shape.width
        context = self.attention(candidates, states, "context", CANDIDATES)
        product = self.add("Mul", [candidates, context], "agreement")
        features = self.add("Concat", [candidates, context, product], "features", axis=-1)
        hidden = self.add("Relu", [self.dense(features, "hidden", 3 * width, width)], "hidden.relu")
        return self.add("Squeeze", [self.dense(hidden, "score", width, 1), self.ints("last_axis", -1)], "scores")


def build_ranker(shape: RankerShape, rng: np.random.Generator) -> onnx.ModelProto:
    """behaviours [b,100] INT64 (0 is padding) and candidates [b,50] INT64 -> scores [b,50] FP32."""
    graph = RankerGraph(shape, rng)
    behaviours = graph.input("behaviours", INT64, ["batch", BEHAVIOURS])
    candidates = graph.input("candidates", INT64, ["batch", CANDIDATES])
    graph.shared_values()
    graph.padding_mask(behaviours)
    states = graph.add("Add", [graph.embed(behaviours), "position"], "states")
    for number in range(shape.blocks):
        states = graph.block(states, f"block{number}")
    graph.score(graph.embed(candidates), graph.normed(states, "states.norm"))
    graph.output("scores", FLOAT, ["batch", CANDIDATES])
    return graph.model()
