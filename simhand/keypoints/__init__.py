"""Stage 6: 21 keypoints for each crop."""
