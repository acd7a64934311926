"""What was seen in the last steps, for policies that look at more than one."""

import numpy as np
from jaxtyping import Bool, Shaped


class History:
    """Joins the views of the last steps along their axis, the oldest first; before a first step lies its own copy.

    Args:
        num_steps: How many steps are joined; 1: what is added comes back as it is.
    """

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps
        self._steps: list[Shaped[np.ndarray, "N V ..."]] = []
        self._is_new: Bool[np.ndarray, " N"] = np.zeros(0, bool)

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Forget what was seen, in the envs of the mask or in all."""
        if env_mask is None or len(env_mask) != len(self._is_new):
            self._steps = []
        else:
            self._is_new = self._is_new | env_mask

    def add(self, views: Shaped[np.ndarray, "N V ..."]) -> Shaped[np.ndarray, "N TV ..."]:
        """Take what is seen now and return it behind what was seen before."""
        if self.num_steps == 1:
            return views
        if not self._steps or len(self._is_new) != len(views):
            self._steps = [views] * self.num_steps
        else:
            mask = self._is_new.reshape(-1, *(1,) * (views.ndim - 1))
            self._steps = [*(np.where(mask, views, step) for step in self._steps[1:]), views]
        self._is_new = np.zeros(len(views), bool)
        return np.concatenate(self._steps, axis=1)
