"""Orders of joints that others have, as places in simhand's (`simhand.joints`), which is FreiHAND's."""

from __future__ import annotations

AIT = (0, *(1 + 4 * finger + place for place in range(4) for finger in range(5)))
"""PeCLR's: the wrist, then place by place from the palm outwards, thumb to little finger each."""

MANO = (0, *(1 + 4 * finger + place for finger in (1, 2, 4, 3, 0) for place in range(3)), *(4, 8, 12, 16, 20))
"""MANO's: the wrist, three joints a finger (index, middle, little, ring, thumb), then the tips, thumb to little."""


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """Of each of simhand's joints, its place in another order."""
    return tuple(order.index(joint) for joint in range(len(order)))


FROM_AIT = inverse(AIT)
