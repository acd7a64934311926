"""Cameras, looks, meshes and the renderers."""
