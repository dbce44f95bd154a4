"""A fine-tuned model on the user's own images and videos."""
