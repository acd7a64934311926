"""Tasks: one file each, and one line in `robossl_envs.arms`."""
