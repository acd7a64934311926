"""Plain words, with units, for what runs count and log."""

_METRICS = {
    "loss": "loss: what training lowers",
    "grad_norm": "size of the gradient (norm)",
    "images_per_s": "training speed [images per second]",
    "data_wait_fraction": "share of the time spent waiting for data, 0 to 1",
    "health/effective_rank": "number of directions that the features use (effective rank)",
    "health/spread": "spread of the features; near 0 they have collapsed",
    "health/uniformity": "how evenly images fill the sphere; near 0 they have become one",
    "health/alignment": "squared distance of images that are to be alike, 0 to 4",
    "health/straightness": "how straight features move along time, -1 to 1",
    "health/probe_r2": "what a small probe reads out of held-out frames (R2)",
    "finetune/loss": "imitation loss: distance to the demonstrated actions",
}
_LAST_WORDS = {"accuracy": "share of the right match found, 0 to 1"}


def metric_words(metric: str) -> str:
    """Return what a logged metric tells; unknown ones by their own name without underscores."""
    part, _, name = metric.rpartition("/")
    if metric in _METRICS:
        return _METRICS[metric]
    words = _LAST_WORDS.get(name, name.replace("_", " "))
    return f"{part.replace('_', ' ').replace('/', ' · ')}: {words}" if part else words


def percent(share: float) -> str:
    """Return a share of 0 to 1 in per cent, held together by a space that does not break."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
