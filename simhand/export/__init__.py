"""`simhand export`: encoders and pairs in forms that other programs read."""
