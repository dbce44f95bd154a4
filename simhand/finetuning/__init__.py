"""Stage 11: DetNet on a pre-trained encoder, trained on labelled hands."""
