"""`robossl report`: one HTML page about runs."""

from pathlib import Path
from typing import Any

from robossl.config.report import ReportConfig
from robossl.errors import ConfigError
from robossl.report import build_report
from robossl.runs import Run, digest_path
from robossl.runs.run import read_result


def report(config: ReportConfig, *, run: Run) -> dict[str, Any]:
    """Write `report.html` to the run directory and return where it is.

    Raises:
        ConfigError: a directory holds no run, or none was named.
    """
    if not config.runs:
        raise ConfigError("no run was named; give at least one, for example: robossl report runs/pretrain")
    results = {path: read_result(path) or {} for path in config.runs}
    pages = [path / Path(found["report"]).name for path, found in results.items() if "report" in found]
    own = [f"The episodes of {page.parent}: {page}." for page in pages if page.is_file()]
    page = build_report(config.runs, run.path / "report.html", title=config.title, lead=" ".join(own))
    return {"report": str(page), "inputs": {str(path): digest_path(path) for path in config.runs}}
