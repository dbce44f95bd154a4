"""A k-d tree over embeddings, searched by compiled code that passes over the hands of the query's own video.

Libraries search for the nearest points, whatever their video: a hand whose video fills the first thousand places needs
a thousand proposals more, and nobody knows beforehand how many. Here such points are left out where they are met.

The answers are those of brute force in float64, to the last bit: a box's distance is added up dimension by dimension,
as those of points are, and rounding keeps the order of numbers, so no point of a box is nearer than its box.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

_LEAF = 16  # points in a leaf, at most: 16 was fastest of 16, 32 and 64 for a million hands
_DEPTH = 64  # of the stack; one entry a level
_NONE = np.iinfo(np.int64).max  # in the place of a row that is not known yet


class Tree(NamedTuple):
    """The points in the order of the leaves; node i has the children 2 i and 2 i + 1, the last L nodes are leaves."""

    rows: np.ndarray  # int64 (n,), the row of each place
    places: np.ndarray  # int64 (n,), the place of each row
    columns: np.ndarray  # float32 (D, n), the points, place by place
    videos: np.ndarray  # int64 (n,), of each place
    leaves: np.ndarray  # int64 (L + 1,), the first place of each leaf, and n
    lowest: np.ndarray  # float32 (2 L, D), corner of the box around the points below each node; node 0 is not used
    highest: np.ndarray  # float32 (2 L, D), the opposite corner


def build_tree(embeddings: np.ndarray, videos: np.ndarray) -> Tree:
    """Halves the points along their widest dimension until a leaf holds 16 at most.

    Args:
        embeddings: float32 (n, D), finite, n at least 1.
        videos: (n,) number of each row's video.
    """
    rows = np.arange(len(embeddings))
    leaves = np.array([0, len(rows)])
    while np.diff(leaves).max() > _LEAF:
        middles = (leaves[:-1] + leaves[1:]) // 2
        for first, middle, end in zip(leaves[:-1], middles, leaves[1:], strict=True):
            part = rows[first:end]
            points = embeddings[part]
            widest = points[:, np.argmax(np.ptp(points, axis=0))]
            rows[first:end] = part[np.argpartition(widest, middle - first)]
        leaves = np.sort(np.concatenate([leaves, middles]))
    points = embeddings[rows]
    lowest, highest = _boxes(points, leaves[:-1])
    places = np.empty_like(rows)
    places[rows] = np.arange(len(rows))
    numbers = videos[rows].astype(np.int64)
    return Tree(rows, places, np.ascontiguousarray(points.T), numbers, leaves, lowest, highest)


def _boxes(points: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The boxes around the points below each node, from the leaves up: each float32 (2 L, D)."""
    count = len(starts)
    lowest, highest = np.zeros((2, 2 * count, points.shape[1]), np.float32)
    lowest[count:], highest[count:] = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    while count > 1:
        count //= 2
        lowest[count : 2 * count] = lowest[2 * count : 4 * count].reshape(count, 2, -1).min(axis=1)
        highest[count : 2 * count] = highest[2 * count : 4 * count].reshape(count, 2, -1).max(axis=1)
    return lowest, highest


def nearest(tree: Tree, places: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of other videos for the points at some places, in the order of (squared distance, row).

    Other threads run meanwhile; queries in the order of their places are fastest, since neighbours share leaves.

    Args:
        tree: of all points.
        places: int64 (q,).
        k: at most so many points lie outside any video.

    Returns:
        rows int64 (q, k) and squared distances float64 (q, k).
    """
    rows = np.full((len(places), k), _NONE)
    squared = np.full((len(places), k), np.inf)
    _search(tree, places, rows, squared)
    order = np.lexsort((rows, squared), axis=-1)
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(squared, order, axis=1)


# What follows is compiled. Sums run over dimensions in their order and nothing is reassociated (no fastmath).


@numba.njit(nogil=True, cache=True)
def _search(tree: Tree, places: np.ndarray, best_rows: np.ndarray, best_squared: np.ndarray) -> None:
    """Fills in, for each place (q,), the k nearest: each line (q, k) a heap with the worst on top."""
    count = len(tree.leaves) - 1
    query = np.empty(len(tree.columns))
    squared = np.empty(np.diff(tree.leaves).max())
    waiting = np.empty(_DEPTH, np.int64)
    waiting_squared = np.empty(_DEPTH)
    for i in range(len(places)):
        for dimension in range(len(query)):
            query[dimension] = tree.columns[dimension, places[i]]
        waiting[0], waiting_squared[0], left = 1, 0.0, 1
        while left > 0:
            left -= 1
            node, bound = waiting[left], waiting_squared[left]
            while node < count and bound <= best_squared[i, 0]:  # a tie may have a smaller row
                node, bound, far = 2 * node, _box_squared(tree, 2 * node, query), 2 * node + 1
                far_bound = _box_squared(tree, far, query)
                if far_bound < bound:
                    node, bound, far, far_bound = far, far_bound, node, bound
                waiting[left], waiting_squared[left], left = far, far_bound, left + 1
            if bound <= best_squared[i, 0]:
                first, end = tree.leaves[node - count], tree.leaves[node - count + 1]
                _point_squared(tree, first, end, query, squared)
                for place in range(first, end):
                    if tree.videos[place] != tree.videos[places[i]]:
                        _take(best_squared[i], best_rows[i], squared[place - first], tree.rows[place])


@numba.njit(nogil=True, cache=True)
def _box_squared(tree: Tree, node: int, query: np.ndarray) -> float:
    """Squared distance from a query to the box of a node, 0 inside."""
    total = 0.0
    for dimension in range(len(query)):
        below = np.float64(tree.lowest[node, dimension]) - query[dimension]
        above = query[dimension] - np.float64(tree.highest[node, dimension])
        outside = max(below, above, 0.0)
        total += outside * outside
    return total


@numba.njit(nogil=True, cache=True)
def _point_squared(tree: Tree, first: int, end: int, query: np.ndarray, squared: np.ndarray) -> None:
    """Squared distances from a query to the points at places first to end; the inner loop is vectorised."""
    squared[: end - first] = 0.0
    for dimension in range(len(query)):
        for i in range(end - first):
            difference = query[dimension] - np.float64(tree.columns[dimension, first + i])
            squared[i] += difference * difference


@numba.njit(nogil=True, cache=True)
def _take(best_squared: np.ndarray, best_rows: np.ndarray, squared: float, row: int) -> None:
    """Puts a point in the place of the worst of the heap, if it comes before it."""
    if not _before(squared, row, best_squared[0], best_rows[0]):
        return
    i = 0
    while True:
        child = 2 * i + 1
        if child >= len(best_squared):
            break
        other = child + 1
        if other < len(best_squared) and _before(
            best_squared[child], best_rows[child], best_squared[other], best_rows[other]
        ):
            child = other
        if not _before(squared, row, best_squared[child], best_rows[child]):
            break
        best_squared[i], best_rows[i] = best_squared[child], best_rows[child]
        i = child
    best_squared[i], best_rows[i] = squared, row


@numba.njit(nogil=True, cache=True)
def _before(squared: float, row: int, other_squared: float, other_row: int) -> bool:
    return squared < other_squared or (squared == other_squared and row < other_row)
