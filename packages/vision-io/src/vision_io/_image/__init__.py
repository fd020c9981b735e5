"""Images: decoding to uint8 CHW tensors and encoding, through Pillow and native pixel moves."""
