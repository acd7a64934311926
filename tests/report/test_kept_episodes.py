"""The page lays the same episode side by side and shows the failed ones, and no others."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from episodes import expert_episodes

from robossl.config.schema import STRICT
from robossl.evaluation.kept import keep_episodes, read_kept
from robossl.report import build_report
from robossl.report.failures import failures_section
from robossl.report.kept_episodes import shown_episodes, within
from robossl.report.records import read_runs
from robossl.report.side_by_side import comparable, side_by_side_section
from robossl.runs import open_run
from robossl.types import Episode


@dataclass(frozen=True, kw_only=True)
class Example:
    __pydantic_config__ = STRICT


def _episodes(*failed: int, seeds: range = range(3)) -> list[Episode]:
    """Return episodes in two domains of which those with the given seeds are said to have failed."""
    found = [
        episode
        for domain in ("nominal", "shifted")
        for episode in expert_episodes(len(seeds), seed=seeds.start, domain=domain)
    ]
    return [replace(one, success=one.seed not in failed, truncated=one.seed in failed) for one in found]


def _run(path: Path, episodes: list[Episode], *, policy: str) -> Path:
    run = open_run(path, command="evaluate", config=Example())
    keep_episodes(run.path, episodes, num=2)
    run.finish({"env_id": "test/Point-v0", "policy": policy})
    return path


def test_the_first_episodes_are_filmed_and_failed_ones_are_pictures(tmp_path: Path) -> None:
    keep_episodes(tmp_path, _episodes(1, 2, 3, seeds=range(4)), num=2)
    kept = read_kept(tmp_path)
    assert {(one.domain, one.seed) for one in kept if one.video} == {
        (d, s) for d in ("nominal", "shifted") for s in (0, 1)
    }
    assert {(one.domain, one.seed) for one in kept if one.strip} == {
        (d, s) for d in ("nominal", "shifted") for s in (1, 2)
    }
    assert [one.ended for one in kept if one.domain == "nominal"] == ["solved", "out of time", "out of time"]
    files = {path.name for path in (tmp_path / "kept").iterdir()} - {"episodes.json"}
    assert files == {name for one in kept for name in (one.video, one.strip) if name}
    assert all(one.last_reward <= one.best_reward for one in kept)


def test_videos_side_by_side_show_one_seed(tmp_path: Path) -> None:
    paths = [
        _run(tmp_path / "a", _episodes(1), policy="runs/ours/policy"),
        _run(tmp_path / "b", _episodes(seeds=range(1, 4)), policy="random"),
    ]
    shown = shown_episodes(read_runs(paths), labels={}, cells={})
    groups = comparable(shown)
    assert [{one.episode.seed for one in group} for group in groups] == [{0}, {1}, {2}]
    assert [(one.policy, one.world) for one in groups[1]] == [
        ("ours", "nominal"), ("ours", "shifted"), ("random", "nominal"), ("random", "shifted"),
    ]  # fmt: skip
    for block in side_by_side_section(shown).split("<details")[1:]:
        (seed,) = set(re.findall(r"episode (\d)", block))
        captions = re.findall(r'aria-label="(\w+) in (\w+), episode', block)
        assert captions == [(one.policy, one.world) for one in _by_world(groups[int(seed)])]


def test_each_env_has_its_share_of_what_a_page_shows(tmp_path: Path) -> None:
    (first, *_) = shown_episodes(read_runs([_run(tmp_path / "a", _episodes(), policy="expert")]), labels={}, cells={})
    reach, push, stack = ([replace(first, env=env) for _ in range(n)] for env, n in (("r", 9), ("p", 1), ("s", 9)))
    taken = within([*reach, *push, *stack], 6)
    counts = [sum(id(one) in taken for one in episodes) for episodes in (reach, push, stack)]
    assert counts == [2, 1, 3]
    assert all(id(one) in taken for one in (*reach[:2], *stack[:3]))
    assert len(within(reach, 20)) == 9


def _by_world(group: list) -> list:
    return sorted(group, key=lambda one: one.world)


def test_an_episode_that_was_met_once_is_beside_none(tmp_path: Path) -> None:
    nominal = [episode for episode in _episodes() if episode.domain == "nominal"]
    shown = shown_episodes(read_runs([_run(tmp_path / "a", nominal, policy="expert")]), labels={}, cells={})
    assert len(shown) == 2
    assert side_by_side_section(shown) == ""


def test_the_gallery_holds_failed_episodes_and_no_successes(tmp_path: Path) -> None:
    paths = [
        _run(tmp_path / "a", _episodes(1), policy="runs/ours/policy"),
        _run(tmp_path / "b", _episodes(), policy="expert"),
    ]
    gallery = failures_section(shown_episodes(read_runs(paths), labels={}, cells={}))
    assert re.findall(r'alt="(\w+) in (\w+), episode (\d)', gallery) == [
        ("ours", "nominal", "1"),
        ("ours", "shifted", "1"),
    ]
    assert "out of time" in gallery
    assert "expert" not in gallery


def test_worlds_and_policies_go_by_the_names_of_a_transfer(tmp_path: Path) -> None:
    paths = [_run(tmp_path / name, _episodes(1), policy="expert") for name in ("ours-nominal", "ours-shift-colour")]
    runs = read_runs(paths)
    assert {one.policy for one in shown_episodes(runs, labels={}, cells={})} == {run.name for run in runs}
    cells = {"ours-nominal": ("ours", "nominal"), "ours-shift-colour": ("ours", "shift: colour")}
    assert {(one.policy, one.world) for one in shown_episodes(runs, labels={}, cells=cells)} == set(cells.values())
    text = build_report(paths, tmp_path / "page.html", cells=cells).read_text()
    assert "The same episode side by side" in text
    assert "How episodes failed" in text
    assert not re.search(r"""(src|href)=["'](?!data:)|https?://""", text.replace('href="#', ""))
