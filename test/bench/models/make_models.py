"""Writes the models of the tests and benchmarks, with random weights of a fixed seed, as a model repository.

The folder gets NAME/1/model.onnx and NAME/model.yaml for each model. The same versions of numpy and onnx write the
same bytes each time.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from ranker import SHAPES, build_ranker
from small import SMALL_BUILDERS

SEED = 20_260_101
Builder = Callable[[np.random.Generator], onnx.ModelProto]

BIG_BUILDERS: dict[str, Builder] = {shape.name: partial(build_ranker, shape) for shape in SHAPES}
BUILDERS: dict[str, Builder] = {**SMALL_BUILDERS, **BIG_BUILDERS}
MAX_BATCH_SIZE = 32


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the model repository to write to; made if it is not there")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--small", action="store_true", help="all but the rankers, under 100 KB in sum")
    which.add_argument("--models", nargs="+", choices=sorted(BUILDERS), metavar="NAME", help="only these: %(choices)s")
    return parser.parse_args()


def write_model(folder: Path, name: str, build: Builder) -> int:
    """Returns the size of model.onnx in bytes. The seed depends on the name alone, not on what else is written."""
    model = build(np.random.default_rng([SEED, zlib.crc32(name.encode())]))
    data = model.SerializeToString(deterministic=True)
    version = folder / name / "1"
    version.mkdir(parents=True, exist_ok=True)
    (version / "model.onnx").write_bytes(data)
    (folder / name / "model.yaml").write_text(f"batching: {{ maxBatchSize: {MAX_BATCH_SIZE} }}\n", encoding="utf-8")
    return len(data)


def main() -> None:
    options = parse_arguments()
    names = options.models or (SMALL_BUILDERS if options.small else BUILDERS)
    for name in names:
        print(f"{name} {write_model(options.folder, name, BUILDERS[name]):,} bytes")


if __name__ == "__main__":
    main()
