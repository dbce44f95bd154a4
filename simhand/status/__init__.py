"""`simhand status`: how far the workflow is, what runs, and what failed."""
