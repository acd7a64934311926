"""`robossl probe` asks for actions only where there are some: the last row of an episode holds a filler."""

import numpy as np
import pytest
from memory_source import MemorySource

from robossl.config.probe import ProbeConfig
from robossl.evaluation.probe import ProbeTarget, RidgeProbe, score_probe
from robossl.stages.probe_domains import domain_rows
from robossl.stages.probe_frames import Sampled, as_rows


class _Telling(MemorySource):
    """Frames that tell the action in their colours; the last one tells an action that was never taken."""

    def frames(self, episode: int, indices: np.ndarray, camera: str) -> np.ndarray:
        shown = np.concatenate([self._actions[episode][:-1], [[1, 1]]])[np.asarray(indices)]
        frames = np.zeros((len(shown), 3, 2, 2), np.uint8)
        frames[:, :2] = np.round(127.5 + 127.5 * shown)[..., None, None]
        return frames


def _sampled(config: ProbeConfig, *, seed: int) -> Sampled:
    return Sampled(_Telling(lengths=(6, 4, 5, 7), seed=seed), np.arange(4), config)  # type: ignore[arg-type]


def _seen(sampled: Sampled, back: int) -> np.ndarray:
    return as_rows(sampled.read(back))


def test_fillers_are_left_out_of_the_action_score() -> None:
    config = ProbeConfig(key="observation.state")
    train, test = _sampled(config, seed=0), _sampled(config, seed=1)
    assert len(test.frames) == 22, "what is asked else is asked of all frames"
    [score, *_] = domain_rows(train, [test], _seen, features="pixels", data=["here"])
    assert score[:4] == ["pixels", "here", "action score", 18]
    assert score[4] > 0.999


@pytest.mark.parametrize("key", ["action", "observation.state"])
def test_fillers_are_no_truth_where_actions_are_the_key(key: str) -> None:
    train, test = (_sampled(ProbeConfig(key=key), seed=seed) for seed in (0, 1))
    assert len(train.truth) == len(train.frames) == (18 if key == "action" else 22)
    probe = RidgeProbe().fit(train.with_features(_seen(train, 0)))
    [score] = score_probe(probe.predict(_seen(test, 0)), test.truth, [ProbeTarget(name="", columns=(0, 1))])
    assert (score.r2 > 0.999) == (key == "action")
