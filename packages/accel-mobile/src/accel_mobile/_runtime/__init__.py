"""Executors of a graph: `reference` in plain torch, `native` through the compiled kernels."""
