"""Video: decoding by index and by time, encoding, and the readers that older code expects."""
