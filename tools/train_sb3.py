"""Train SAC of Stable-Baselines3 on an env's state and say how long it took to solve it: the suite's RL baselines.

    python tools/train_sb3.py --env-id=robossl/CartPoleSwingUp-v0
    python tools/train_sb3.py --env-id=robossl/TwoLinkReacher-v0
    python tools/train_sb3.py --env-id=robossl/PandaReach-v0 --hindsight

Needs the extra `sb3`: pip install -e '.[sb3]'. With `--hindsight` the env is goal-conditioned with sparse reward
(Andrychowicz et al. 2017, Hindsight experience replay, arXiv 1707.01495), else dense reward on the state. Training
stops once the greedy policy solves 20 of 20 episodes, and that policy is then scored once on 100 other seeds. The
result is one line of JSON. Expected on two cores: see docs/control.md.
"""

import argparse
import json
import sys
import time
from typing import Any

import gymnasium as gym
import torch

from robossl.evaluation.intervals import wilson
from robossl.policies.rl.greedy import greedy_success

try:
    from stable_baselines3 import SAC
    from stable_baselines3.her import HerReplayBuffer
except ModuleNotFoundError as error:
    if error.name != "stable_baselines3":
        raise
    sys.exit("tools/train_sb3.py needs the extra sb3, which is not installed: pip install -e '.[sb3]'")

TUNING_SEED, TEST_SEED = 500_000, 1_000_000
SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-3,
    "batch_size": 256,
    "gamma": 0.98,
    "tau": 0.02,
    "learning_starts": 1000,
    "policy_kwargs": {"net_arch": [128, 128]},
}
HINDSIGHT: dict[str, Any] = {
    "gamma": 0.95,
    "replay_buffer_class": HerReplayBuffer,
    "replay_buffer_kwargs": {"n_sampled_goal": 4},
}


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env-id", required=True)
    parser.add_argument("--hindsight", action="store_true", help="goal-conditioned, sparse reward")
    parser.add_argument("--minutes", type=float, default=15.0, help="wall clock after which training stops")
    parser.add_argument("--check-every", type=int, default=2500, help="env steps between two checks")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # small networks: more threads only wait for each other
    keywords = {"obs_format": "goal", "reward_type": "sparse"} if arguments.hindsight else {"obs_format": "state"}
    env, tests = (gym.make(f"robossl_envs:{arguments.env_id}", **keywords) for _ in range(2))
    policy, settings = ("MultiInputPolicy", SETTINGS | HINDSIGHT) if arguments.hindsight else ("MlpPolicy", SETTINGS)
    model = SAC(policy, env, seed=arguments.seed, device="cpu", **settings)
    start_s, start_cpu_s, rate = time.monotonic(), time.process_time(), 0.0
    while rate < 1.0 and time.monotonic() - start_s < 60 * arguments.minutes:
        model.learn(arguments.check_every, reset_num_timesteps=False)
        rate = greedy_success(model, tests, num_episodes=20, first_seed=TUNING_SEED)
        print(f"{model.num_timesteps} steps, {time.monotonic() - start_s:.0f} s: {rate:.2f} of 20 episodes", flush=True)
    took_s, took_cpu_s = time.monotonic() - start_s, time.process_time() - start_cpu_s
    rate = greedy_success(model, tests, num_episodes=100, first_seed=TEST_SEED)
    result = {
        "env_id": arguments.env_id,
        "method": "SAC with HER" if arguments.hindsight else "SAC",
        "seed": arguments.seed,
        "env_steps": model.num_timesteps,
        "train_s": round(took_s),
        "train_cpu_s": round(took_cpu_s),
        "success_rate": rate,
        "num_episodes": 100,
        "success_interval": [round(bound, 3) for bound in wilson(round(100 * rate), 100)],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
