"""How far apart two hands are, from their 2D keypoints (paper section 3.3; spec section 6)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from simhand.pretraining.blocks import row_blocks

Metric = Literal["mpjpe", "w_abs", "w_o_abs"]


def paired_distances(first: Tensor, second: Tensor, metric: Metric = "mpjpe") -> Tensor:
    """Distance of hand i of either side, px (N,).

    Args:
        first: keypoints (N, 21, 2), px.
        second: keypoints (N, 21, 2), px.
        metric: mpjpe, the mean distance of their joints; w_abs and w_o_abs, two experiments of the official code: the
            length of the joints' mean displacement, with and without the absolute value of its coordinates.
    """
    displacement = first - second  # (N, 21, 2)
    if metric == "mpjpe":
        return displacement.norm(dim=-1).mean(dim=-1)
    return (displacement.abs() if metric == "w_abs" else displacement).mean(dim=1).norm(dim=-1)


def all_distances(own: Tensor, everyone: Tensor, metric: Metric = "mpjpe") -> Tensor:
    """Distance of each of `own` from each of `everyone`, px (n, m).

    Summed joint by joint, some rows at a time: a broadcast would hold 42 arrays of that size. In w_abs and w_o_abs the
    official code takes its means over x and y and the length over joints, unlike for pairs; so does this.

    Args:
        own: keypoints (n, 21, 2), px.
        everyone: keypoints (m, 21, 2), px.
        metric: as for `paired_distances`.
    """
    x, y = own.permute(2, 1, 0).contiguous()  # (21, n)
    other_x, other_y = everyone.permute(2, 1, 0).contiguous()  # (21, m)
    result = own.new_zeros(len(own), len(everyone))
    for rows in row_blocks(len(own), everyone):
        for joint in range(len(x)):
            right = x[joint, rows, None] - other_x[joint]  # (b, m)
            down = y[joint, rows, None] - other_y[joint]
            result[rows] += _one_joint(right, down, metric)
    return result.div_(len(x)) if metric == "mpjpe" else result.sqrt_()


def _one_joint(right: Tensor, down: Tensor, metric: Metric) -> Tensor:
    """What a joint displaced by so much adds; overwrites its arguments."""
    if metric == "mpjpe":
        return right.square_().addcmul_(down, down).sqrt_()
    if metric == "w_abs":
        right, down = right.abs_(), down.abs_()
    return right.add_(down).div_(2).square_()
