"""Sound: decoding to samples and encoding from them."""
