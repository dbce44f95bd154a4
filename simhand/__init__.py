"""simhand: from in-the-wild videos to a pre-trained hand encoder and a table of 3D hand pose errors."""
