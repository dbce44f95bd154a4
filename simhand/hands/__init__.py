"""Stages 3 to 5: hands found, balanced and cropped."""
