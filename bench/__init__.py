"""Benchmarks: each figure beside what it is compared with, in the same run. Machines are shared and noisy: read ratios."""
