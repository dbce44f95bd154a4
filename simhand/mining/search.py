"""Exact search for the most similar hands of other videos, query by query on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from simhand.mining.tree import build_tree, nearest
from simhand.progress import Progress

_AT_ONCE = 2**20  # neighbours that one thread holds, 16 bytes each, and as much again to sort them


def exact_neighbours(
    embeddings: np.ndarray, videos: np.ndarray, queries: range, ranks: Sequence[int], workers: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of other videos at some ranks, by (squared distance in float64, row); the same for all `workers`.

    Args:
        embeddings: float32 (n, D), finite.
        videos: (n,) number of each row's video; at least max(ranks) rows must lie outside any video.
        queries: the rows to find neighbours for.
        ranks: ascending, from 1; memory does not grow with the largest.
        workers: threads.

    Returns:
        neighbours int64 (q, len(ranks)) and their squared distances float64 (q, len(ranks)).

    Raises:
        ValueError: a video leaves fewer rows outside it than the last rank.
    """
    if max(ranks) > len(videos) - np.unique(videos, return_counts=True)[1].max():
        raise ValueError(f"rank {max(ranks)} is more than some row has others in other videos")
    neighbours = np.empty((len(queries), len(ranks)), dtype=np.int64)
    squared = np.empty((len(queries), len(ranks)), dtype=np.float64)
    if len(queries) == 0:
        return neighbours, squared
    tree = build_tree(embeddings, videos)
    columns = np.asarray(ranks) - 1

    def search(rows: np.ndarray) -> int:
        found, distances = nearest(tree, tree.places[rows], max(ranks))
        neighbours[rows - queries.start] = found[:, columns]
        squared[rows - queries.start] = distances[:, columns]
        return len(rows)

    rows = tree.rows[(tree.rows >= queries.start) & (tree.rows < queries.stop)]  # in the order of their places
    parts = np.array_split(rows, max(len(rows) * max(ranks) // _AT_ONCE, 8 * workers))
    threads = ThreadPoolExecutor(workers)
    try:
        with Progress("queries", len(rows)) as progress:
            for done in threads.map(search, parts):
                progress.advance(done)
    finally:
        threads.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the parts that have not begun
    return neighbours, squared
