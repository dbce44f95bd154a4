"""The contrastive loss of SimCLR and PeCLR (Chen et al. 2020)."""

from __future__ import annotations

from torch import Tensor

from simhand.pretraining.weighted_nt_xent import weighted_nt_xent


def nt_xent(
    first: Tensor, second: Tensor, temperature: float, *, everyone: Tensor | None = None, start: int = 0
) -> Tensor:
    """Normalised temperature-scaled cross entropy, mean over all 2N anchors (spec section 6).

    Args:
        first: (N, d), unit vectors.
        second: (N, d), unit vectors; row i is the positive of row i of `first`.
        temperature: tau.
        everyone: as for `weighted_nt_xent`.
        start: as for `weighted_nt_xent`.

    Returns:
        A scalar.
    """
    return weighted_nt_xent(first, second, None, None, temperature, everyone=everyone, start=start)
