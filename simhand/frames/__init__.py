"""Stage 2: frames sampled from videos by time."""
