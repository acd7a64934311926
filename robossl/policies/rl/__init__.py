"""Reinforcement learning through Stable-Baselines3, an extra: only what learns imports it."""
