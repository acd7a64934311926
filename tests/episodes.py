"""Episodes of the point env, as a source in memory. For tests only."""

import numpy as np

from robossl.policies.agents import Scripted
from robossl.rollout import EnvSpec, rollout
from robossl.types import Episode

POINT_ENV = "point_env:test/Point-v0"


def expert_episodes(
    num_episodes: int, *, seed: int = 0, domain: str = "nominal", image_size: int = 16
) -> list[Episode]:
    spec = EnvSpec(env_id=POINT_ENV, domain=domain, image_size=image_size)
    return list(rollout(spec, Scripted(kind="expert", noise=0.1), num_episodes=num_episodes, seed=seed))


class EpisodeList:
    """An `EpisodeSource` over episodes in memory."""

    def __init__(self, episodes: list[Episode]) -> None:
        self.episodes = episodes
        self.lengths = np.array([len(episode) + 1 for episode in episodes])
        self.cameras = tuple(episodes[0].pixels)
        self.fps_hz = episodes[0].fps_hz
        self.features = {"action": 3, "observation.state": 4, "observation.environment_state": 6}
        self.digest = "sha256:test"

    def frames(self, episode: int, indices: np.ndarray, camera: str) -> np.ndarray:
        return self.episodes[episode].pixels[camera][indices].transpose(0, 3, 1, 2)

    def values(self, episode: int, indices: np.ndarray, key: str) -> np.ndarray:
        record = self.episodes[episode]
        rows = {
            "action": np.concatenate([record.actions, np.zeros_like(record.actions[:1])]),
            "observation.state": record.proprio,
            "observation.environment_state": record.environment_state,
        }
        return rows[key][indices].astype(np.float32)

    def episode_metadata(self, episode: int) -> dict[str, object]:
        return {"seed": self.episodes[episode].seed, "domain": self.episodes[episode].domain}
