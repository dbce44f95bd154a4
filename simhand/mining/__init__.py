"""Stages 7 to 9: pools, PCA and similar hands of other videos."""
