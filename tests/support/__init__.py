"""Oracles, generators and small engines for tests; nothing here imports the engine's internals."""
