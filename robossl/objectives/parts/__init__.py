"""Losses, heads and predictors that several objectives share."""
