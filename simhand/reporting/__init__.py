"""Stage 12: tables, curves and sheets."""
