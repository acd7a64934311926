"""Several objectives on one encoder: one window, one pass through the encoder, one scalar."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from robossl.data.clip_sampling import Window, union_window
from robossl.encoders import Encoder
from robossl.errors import ConfigError, closest
from robossl.objectives.objective import Objective, can_serve
from robossl.objectives.parts.draws import Draws
from robossl.objectives.parts.ema import EmaCopy
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.ramp import Ramp
from robossl.types import ClipBatch, ObjectiveOutput


class WeightedSum(Objective):
    """Adds weighted losses; an objective that a batch can't feed is skipped, on all ranks alike."""

    def __init__(
        self,
        objectives: Sequence[tuple[str, float, Objective]],
        *,
        average_momentum: float = 0.0,
        ramps: Mapping[str, Ramp] | None = None,
    ) -> None:
        """Join objectives.

        Args:
            objectives: (name, weight, objective), names distinct, all on the same encoder.
            average_momentum: of a moving average of the encoder, which becomes `best_encoder`; 0 keeps none.
            ramps: name of an objective to how its weight begins.

        Raises:
            ConfigError: if there is none, or names repeat, or encoders differ.
        """
        if not objectives:
            raise ConfigError("objectives is empty; name at least one, for example paired_looks")
        encoder = objectives[0][2].encoder
        super().__init__(encoder)
        names = [name for name, _, _ in objectives]
        if len(set(names)) != len(names):
            raise ConfigError(f"objectives has a name twice: {', '.join(names)}; give each objective once")
        for name, weight, objective in objectives:
            if objective.encoder is not encoder:
                raise ConfigError(f"objective {name!r} has another encoder; build all on one")
            if weight <= 0:
                raise ConfigError(f"weight of objective {name!r} must be positive, got {weight}; leave it out instead")
            self.add_module(name, objective)
        self.weights = {name: weight for name, weight, _ in objectives}
        self.members: dict[str, Objective] = {name: objective for name, _, objective in objectives}
        self.window, renamings = union_window([objective.window for objective in self.members.values()])
        self.renamings = dict(zip(names, renamings, strict=True))
        self.restrictions: dict[str, tuple[str, ...]] = {}
        self.average_momentum = average_momentum
        self.average = EmaCopy(encoder) if average_momentum > 0 else None
        self.ramps = dict(ramps or {})
        # counts the steps where a weight depends on them; in the checkpoint, so that a resumed run goes on with it
        self.steps = Draws() if self.ramps else None

    @property
    def best_encoder(self) -> Encoder:
        """The encoder to keep: the moving average if there is one."""
        average = None if self.average is None else self.average.module
        return average if isinstance(average, Encoder) else self.encoder

    def restrict(self, source: str, only: Iterable[str]) -> None:
        """Let a source feed only some of the objectives.

        Raises:
            ConfigError: if a name is unknown.
        """
        chosen = tuple(only)
        for name in chosen:
            if name not in self.members:
                known = ", ".join(self.members)
                raise ConfigError(f"no objective {name!r} in this run; it has {known}{closest(name, self.members)}")
        self.restrictions[source] = chosen

    def window_for(self, source: str = "", *, num_views: int, has_actions: bool) -> Window:
        """Return the window of a source: only the groups of those objectives that it feeds.

        Args:
            source: its name, as `restrict` and the batches have it.
            num_views: of the source.
            has_actions: of the source.

        Raises:
            ConfigError: if the source can feed none.
        """
        chosen = self.restrictions.get(source, tuple(self.members))
        served = [
            name for name in chosen if can_serve(self.members[name], num_views=num_views, has_actions=has_actions)
        ]
        if not served:
            raise ConfigError(
                f"a source with {num_views} view(s) and {'actions' if has_actions else 'no actions'} can feed none of "
                f"{', '.join(chosen)}; name two views for paired_looks, or add an objective that needs less"
            )
        used = {group for name in served for group in self.renamings[name].values()}
        return Window(
            specs=tuple((name, spec) for name, spec in self.window.specs if name in used),
            num_views=max(self.members[name].window.num_views for name in served),
            action_steps=max(self.members[name].window.action_steps for name in served),
        )

    def served(self, batch: ClipBatch) -> list[str]:
        """Return the names of the objectives that the batch feeds."""
        return [
            name
            for name in self.restrictions.get(batch.source, tuple(self.members))
            if self.members[name].serves(batch)
            and all(group in batch.groups for group in self.renamings[name].values())
        ]

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the weighted sum, and each member's loss and metrics under its name."""
        losses = []
        metrics: dict[str, float] = {}
        for name in self.served(encoded.batch):
            output = self.members[name].compute(encoded.renamed(self.renamings[name]))
            losses.append(self.weight(name) * output.loss)
            metrics[f"{name}/loss"] = float(output.loss.detach())
            metrics |= {f"{name}/{key}": value for key, value in output.metrics.items()}
        if not losses:
            raise ConfigError(f"the batch of source {encoded.batch.source!r} feeds no objective")
        return ObjectiveOutput(loss=sum(losses[1:], losses[0]), metrics=metrics)

    def weight(self, name: str) -> float:
        """Return the weight of a member at this step."""
        if self.steps is None or name not in self.ramps:
            return self.weights[name]
        return self.ramps[name].at(int(self.steps.step), self.weights[name])

    def own_groups(self) -> list[dict[str, Any]]:
        """Return the groups of all members."""
        return [group for member in self.members.values() for group in member.own_groups()]

    def after_step(self, step: int, num_steps: int) -> None:
        """Pass on to all members, move the average, and count."""
        if self.steps is not None:
            self.steps.advance()
        if self.average is not None:
            # a young average forgets its random start quickly
            self.average.update(self.encoder, momentum=min(self.average_momentum, (1 + step) / (10 + step)))
        for objective in self.members.values():
            objective.after_step(step, num_steps)
