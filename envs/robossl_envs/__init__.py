"""Gymnasium envs of robossl: robot arms on PyBullet, with MuJoCo as the engine that no training sees."""

import gymnasium as gym

ENV_IDS = ("robossl/PandaReach-v0", "robossl/PandaPush-v0")

for _task, _id in zip(("reach", "push"), ENV_IDS, strict=True):
    gym.register(id=_id, entry_point="robossl_envs.env:RobotEnv", kwargs={"task": _task})
