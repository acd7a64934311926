"""Control tasks on PyBullet, built from primitives: they need no mesh and no second engine."""
