"""The self-contained HTML page about runs."""

from robossl.report.build import build_report

__all__ = ["build_report"]
