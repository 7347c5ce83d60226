"""Batch systems beside the sandbox's Galaxy: Slurm, and Pulsar, each of its own, on this machine only."""
