"""Self-supervised visual encoders for robots: pretraining, transfer and its measurement."""

__version__ = "0.1.0"
