"""Stage 11: errors of predicted 3D hands."""
