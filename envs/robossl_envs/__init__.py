"""Gymnasium envs for robossl."""
