"""The 21 joints of a hand, in the one order that all of simhand has: MediaPipe's, which is also FreiHAND's."""

from __future__ import annotations

FINGERS = ("thumb", "index", "middle", "ring", "little")
JOINTS = ("wrist", *(f"{finger}_{place}" for finger in FINGERS for place in ("base", "lower", "upper", "tip")))
"""Names; of a finger from the palm outwards. The thumb's base is its carpometacarpal joint, the others' the knuckle."""

WRIST, MIDDLE_BASE, MIDDLE_LOWER = 0, 9, 10
"""The bone from wrist to the middle finger's base is a hand's unit of length; the next one is FreiHAND's `scale`."""

PARENTS = (0, *(0 if place == 0 else 4 * finger + place for finger in range(5) for place in range(4)))
"""Of each joint, towards the wrist; the wrist's is itself."""

JOINTS_OF = {finger: tuple(range(1 + 4 * place, 5 + 4 * place)) for place, finger in enumerate(FINGERS)}
"""The four joints of each finger."""
