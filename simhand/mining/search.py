"""Exact search: a fast search in float32 proposes, float64 decides, and a certificate tells that nothing was lost."""

from __future__ import annotations

import logging

import faiss
import numpy as np
from tqdm import tqdm

_log = logging.getLogger(__name__)

_CANDIDATES_AT_ONCE = 2**21  # query-candidate pairs in memory, about 100 bytes each
_EXTRA = 64  # proposed beyond K at first: room for hands of the query's own video


def exact_neighbours(
    embeddings: np.ndarray, videos: np.ndarray, queries: range, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of other videos, in the order of (squared distance in float64, row).

    Queries whose answer is not yet certain are asked again for twice as many proposals, in the end for all rows.

    Args:
        embeddings: float32 (n, D), finite.
        videos: (n,) number of each row's video; at least k rows must lie outside any video.
        queries: the rows to find neighbours for.
        k: neighbours of each.

    Returns:
        neighbours int64 (q, k) and their squared distances float64 (q, k), rank by rank.
    """
    index = faiss.IndexFlatL2(embeddings.shape[1])
    index.add(embeddings)
    neighbours = np.empty((len(queries), k), dtype=np.int64)
    squared = np.empty((len(queries), k), dtype=np.float64)
    pending = np.asarray(queries, dtype=np.int64)
    proposals = 2 * k + _EXTRA
    while len(pending):
        proposals = min(proposals, len(embeddings))
        certain = np.empty(len(pending), dtype=bool)
        for part in _parts(len(pending), proposals):
            rows = pending[part]
            at = rows - queries.start
            neighbours[at], squared[at], certain[part] = _search(
                index, embeddings, videos, rows, k=k, proposals=proposals
            )
        _log.info("%d proposals each: %d of %d queries are certain", proposals, certain.sum(), len(pending))
        pending = pending[~certain]
        proposals *= 2
    return neighbours, squared


def _parts(queries: int, proposals: int) -> list[slice]:
    """Cuts the queries so that the proposals for one part fit in memory."""
    size = max(1, _CANDIDATES_AT_ONCE // proposals)
    starts = range(0, queries, size)
    return [slice(start, start + size) for start in tqdm(starts, desc="queries", disable=None, mininterval=10)]


def _search(
    index: faiss.Index, embeddings: np.ndarray, videos: np.ndarray, rows: np.ndarray, *, k: int, proposals: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k nearest among the proposals, their squared distances, and whether no other row can be nearer."""
    approximate, proposed = index.search(embeddings[rows], proposals)  # (q, p) ascending, (q, p)
    squared = squared_distances(embeddings, rows, proposed)
    squared[videos[proposed] == videos[rows, None]] = np.inf
    order = np.lexsort((proposed, squared), axis=-1)[:, :k]
    nearest = np.take_along_axis(squared, order, axis=1)
    certain = _certain(embeddings[rows], approximate[:, -1], nearest[:, -1]) | (proposals == len(embeddings))
    return np.take_along_axis(proposed, order, axis=1), nearest, certain


def squared_distances(embeddings: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances from each row to its others, in float64, added dimension by dimension.

    A matrix product would be faster, but its last bits depend on sizes and threads, and ties are broken by them.

    Args:
        embeddings: float32 (n, D).
        rows: (q,).
        others: (q, p).

    Returns:
        float64 (q, p).
    """
    total = np.zeros(others.shape)
    for column in embeddings.T.astype(np.float64):
        total += np.square(column[rows, None] - column[others])
    return total


def _certain(queries: np.ndarray, last_proposed: np.ndarray, kth: np.ndarray) -> np.ndarray:
    """Whether no row outside the proposals can be as near as the k-th neighbour.

    Let y be as near as that: |x - y|^2 <= kth, so |y| <= |x| + sqrt(kth). The proposer computes |x|^2 - 2xy + |y|^2 in
    float32, in any order of additions; D products and three more roundings are off by at most
    (D + 3) u (|x| + |y|)^2 to first order, u = eps / 2, plus what underflows. It found no row outside nearer than
    `last_proposed`; if that exceeds kth by more than twice this error, there is no such y.

    Args:
        queries: float32 (q, D), the x.
        last_proposed: (q,) the largest squared distance of a proposal, in float32.
        kth: (q,) the exact squared distance of the k-th neighbour so far; infinite where there are fewer.
    """
    terms = queries.shape[1] + 4
    float32 = np.finfo(np.float32)
    norms = np.sqrt(np.square(queries.astype(np.float64)).sum(axis=1))
    reach = 2 * norms + np.sqrt(kth)
    slack = terms * (float(float32.eps) * reach**2 + 4 * float(float32.tiny))
    return last_proposed > kth + slack
