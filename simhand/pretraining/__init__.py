"""Stage 10: contrastive pre-training of a hand encoder."""
