"""A tiny env with the contract of `robossl_envs`: a dot that is moved to a disc, drawn by numpy. For tests only."""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

DOMAINS = ("nominal", "randomized", "shifted", "heldout", "heldout_hard")
TOLERANCE_M = 0.05
STEP_M = 0.05


class PointExpert:
    def __init__(self, env: "PointEnv", *, noise: float, seed: int, kind: str) -> None:
        self.env, self.noise, self.kind = env, noise, kind
        self.generator = np.random.default_rng([seed, 7])

    def reset(self, env_mask: np.ndarray | None = None) -> None:
        del env_mask

    def act(self, observation: Any) -> np.ndarray:
        del observation
        if self.kind == "play":
            return self.generator.uniform(-1, 1, 3).astype(np.float32)
        towards = np.clip((self.env.goal - self.env.position) / STEP_M, -1, 1)
        return np.clip(towards + self.noise * self.generator.normal(size=3), -1, 1).astype(np.float32)


class PointEnv(gym.Env):
    """Success: within 5 cm of the goal for 2 steps on end; at most 30 steps."""

    action_scale: ClassVar[dict[str, float]] = {"x_m": STEP_M, "y_m": STEP_M, "z_m": STEP_M}
    environment_state_names = ("ee_x", "ee_y", "ee_z", "goal_x", "goal_y", "goal_z")

    def __init__(
        self,
        *,
        domain: str = "nominal",
        image_size: int = 16,
        cameras: tuple[str, ...] = ("front",),
        fail_at_seed: int = -1,
        render_observations: bool = True,
        renderer: str = "auto",
    ) -> None:
        if domain not in DOMAINS:
            raise ValueError(f"unknown domain {domain!r}; allowed: {', '.join(DOMAINS)}")
        del render_observations, renderer
        self.pictures_later = False
        self.kept: list[np.ndarray] = []
        self.domain, self.size, self.cameras, self.fail_at_seed = domain, image_size, cameras, fail_at_seed
        self.action_space = gym.spaces.Box(-1, 1, (3,), np.float32)
        image = gym.spaces.Box(0, 255, (image_size, image_size, 3), np.uint8)
        self.observation_space = gym.spaces.Dict(
            {
                "pixels": gym.spaces.Dict(dict.fromkeys(cameras, image)),
                "agent_pos": gym.spaces.Box(-10, 10, (4,), np.float32),
            }
        )

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        del options
        if seed == self.fail_at_seed:
            raise RuntimeError("the simulator\nfell over")
        self.seed = seed or 0
        generator = np.random.default_rng([self.seed, 1])
        self.position = np.array([0.0, 0.0, 0.1])
        self.solved_draws = 0
        self.goal = np.append(generator.uniform(-0.4, 0.4, 2), 0.1)
        while np.linalg.norm(self.goal - self.position) < 2 * TOLERANCE_M:
            self.goal[:2] = generator.uniform(-0.4, 0.4, 2)
            self.solved_draws += 1
        self.look = self.sample_looks(1, seed=self.seed, stream=6)[0]
        self.steps = self.held = 0
        self.kept = []
        return self._observe()

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.position = self.position + STEP_M * np.clip(action, -1, 1)
        distance = float(np.linalg.norm(self.position - self.goal))
        self.held = self.held + 1 if distance < TOLERANCE_M else 0
        self.steps += 1
        observation, info = self._observe()
        return observation, -distance, self.held >= 2, self.steps >= 30, info

    def _observe(self) -> tuple[dict[str, Any], dict[str, Any]]:
        state = np.concatenate([self.position, self.goal]).astype(np.float32)
        self.kept.append(state)
        black = np.zeros((self.size, self.size, 3), np.uint8)
        frame = black if self.pictures_later else self.render_states(state[None], [self.look])[0]
        info = {"is_success": self.held >= 2, "environment_state": state, "visual_state": state.copy()}
        proprio = np.append(self.position, 0.04).astype(np.float32)
        return {"pixels": dict.fromkeys(self.cameras, frame), "agent_pos": proprio}, info

    def instants(self) -> tuple[np.ndarray, np.ndarray]:
        return np.stack(self.kept), self.look

    def draw_instants(self, states: np.ndarray, shown: np.ndarray, *, camera: str) -> np.ndarray:
        return self.render_states(states, [shown], camera=camera)

    def episode_record(self) -> dict[str, Any]:
        return {
            "goal": self.goal.tolist(),
            "seed": self.seed,
            "env_id": "test/Point-v0",
            "domain": self.domain,
            "renderer": "numpy",
            "variations": {"background": [float(value) for value in self.look]},
            "num_solved_draws": self.solved_draws,
            "task": "Move the dot to the disc.",
            "fps_hz": 20.0,
            "action_scale": self.action_scale,
            "environment_state_names": list(self.environment_state_names),
        }

    def expert(self, noise: float = 0.0, seed: int = 0, kind: str = "expert") -> PointExpert:
        return PointExpert(self, noise=noise, seed=seed, kind=kind)

    def sample_looks(self, n: int, *, seed: int, stream: int = 5) -> list[np.ndarray]:
        generator = np.random.default_rng([seed, stream])
        draws = generator.integers(0, 60, (n, 3))
        return [np.zeros(3, np.uint8) if self.domain == "nominal" else draw.astype(np.uint8) for draw in draws]

    def render_states(self, visual_states: np.ndarray, looks: list[np.ndarray], *, camera: str = "front") -> np.ndarray:
        del camera
        looks = looks * len(visual_states) if len(looks) == 1 else looks
        centres = (np.arange(self.size) + 0.5) / self.size - 0.5
        v, u = np.meshgrid(centres, centres, indexing="ij")
        frames = np.empty((len(visual_states), self.size, self.size, 3), np.uint8)
        for frame, state, look in zip(frames, visual_states, looks, strict=True):
            frame[:] = look
            frame[np.hypot(u - state[3], v - state[4]) < 0.12] = (40, 220, 40)
            frame[np.hypot(u - state[0], v - state[1]) < 0.09] = (230, 60, 60)
        return frames


gym.register("test/Point-v0", entry_point=PointEnv)
