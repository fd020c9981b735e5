"""From decoded planes to RGB tensors: pixel formats, colour arithmetic, native kernels and their NumPy reference."""
