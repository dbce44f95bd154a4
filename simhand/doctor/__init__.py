"""`simhand doctor`: whether all is there that a configuration needs, and what it will cost."""
