"""Rendered videos and labelled sets of hands with exact ground truth, for the demo and the tests."""
