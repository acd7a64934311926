"""What was made from what: data, encoder, policy and measurement as columns of cards."""

from collections.abc import Mapping, Sequence

from robossl.report.facts import facts_of
from robossl.report.html import element, escape
from robossl.report.records import RunRecord

_COLUMNS = {
    "Data": ("collect", "import", "rerender"),
    "Encoder": ("pretrain",),
    "Policy": ("finetune",),
    "Measured": ("probe", "evaluate"),
}
_SCRIPTED = {"expert": "scripted expert", "random": "random actions"}


def lineage_section(runs: Sequence[RunRecord], *, worlds: Mapping[str, str] | None = None) -> str:
    """Return the diagram, or an empty text where no run is part of the chain.

    Args:
        runs: Runs of the page.
        worlds: Name of a run to the world that it measured in, where its result does not tell.
    """
    makers = {digest: run.name for run in runs for digest in run.outputs.values()}
    columns = []
    for title, commands in _COLUMNS.items():
        cards = [_card(run, makers, world=(worlds or {}).get(run.name, "")) for run in runs if run.command in commands]
        if cards:
            columns.append(element("div", element("h3", title), *cards, class_="stage"))
    return element("div", *columns, class_="lineage") if columns else ""


def _card(run: RunRecord, makers: dict[str, str], *, world: str) -> str:
    inputs = [
        element("li", f"{escape(name)} ", element("code", escape(makers.get(digest) or _short(digest))))
        for name, digest in run.result.get("inputs", {}).items()
    ]
    outputs = [
        element("li", f"{escape(name)} ", element("code", escape(_short(digest))))
        for name, digest in run.outputs.items()
    ]
    if not inputs and run.result.get("policy") in _SCRIPTED and run.command == "evaluate":
        inputs = [element("li", f"policy {_SCRIPTED[run.result['policy']]}")]
    facts = (element("p", escape(fact), class_="facts") for fact in facts_of(run, world=world))
    parts = [element("h4", escape(run.name)), *facts]
    parts += [element("p", "from"), element("ul", *inputs)] if inputs else []
    parts += [element("p", "made"), element("ul", *outputs)] if outputs else []
    return element("div", *parts, class_="card")


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:10] if digest.startswith("sha256:") else digest
