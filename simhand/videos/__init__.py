"""Stage 1: the index of a source's videos."""
