"""Prefect flows over the library: order, retries and parallelism, nothing else."""
