"""The same episode of several policies, or of one policy in several worlds, next to each other."""

from collections.abc import Sequence

from robossl.report.html import element, escape, file_address
from robossl.report.kept_episodes import Shown, within
from robossl.report.videos import poster

_MOST_VIDEOS = 96
"""On a page, shared by the envs: more are neither watched nor light."""
_OPEN_SEEDS = 1
_AGAIN = "this.parentElement.querySelectorAll('video').forEach(v =&gt; { v.currentTime = 0; v.play(); })"


def side_by_side_section(shown: Sequence[Shown]) -> str:
    """Return a block for each episode seed of each env, with its worlds as rows and its policies as columns.

    A seed that only one policy has met in only one world is left out. What exceeds 96 videos is not shown, which a line
    says; each env has its share, and the first seed of each env comes first.
    """
    groups = sorted(comparable(shown), key=lambda group: (group[0].episode.seed, group[0].env))
    drawn = within([one for group in groups for one in group], _MOST_VIDEOS)
    kept = [group for whole in groups if (group := [one for one in whole if id(one) in drawn])]
    blocks = [_block(group, is_open=place < _OPEN_SEEDS) for place, group in enumerate(kept)]
    left = sum(len(group) for group in groups) - len(drawn)
    hidden = f"{left} further videos of these episodes lie in the folders of the runs." if left else ""
    return "".join(blocks) + (element("p", hidden, class_="note") if hidden else "")


def comparable(shown: Sequence[Shown]) -> list[list[Shown]]:
    """Return the videos that show the same episode: of one env and one seed, at least two of them."""
    groups: dict[tuple[str, int], list[Shown]] = {}
    for one in shown:
        if one.episode.video:
            groups.setdefault((one.env, one.episode.seed), []).append(one)
    return [group for group in groups.values() if len(group) > 1]


def _block(group: Sequence[Shown], *, is_open: bool) -> str:
    policies = list(dict.fromkeys(one.policy for one in group))
    if len(policies) == 1:
        rows = [element("div", *(_video(one, name=one.world) for one in group), class_="side")]
    else:
        rows = [_row(world, group, policies) for world in dict.fromkeys(one.world for one in group)]
    again = f'<button type="button" onclick="{_AGAIN}">Play all from the start</button>'
    whose = f": {policies[0]}" if len(policies) == 1 else ""
    summary = element("summary", escape(f"{group[0].env}, episode {group[0].episode.seed}{whose}"))
    return element(f"details{' open' if is_open else ''}", summary, again, element("div", *rows, class_="worlds"))


def _row(world: str, group: Sequence[Shown], policies: Sequence[str]) -> str:
    """Return one world; a policy that has not met the episode there leaves no gap."""
    of_world = sorted((one for one in group if one.world == world), key=lambda one: policies.index(one.policy))
    videos = (_video(one, name=one.policy) for one in of_world)
    return element("div", element("h4", escape(world)), element("div", *videos, class_="side"))


def _video(one: Shown, *, name: str) -> str:
    path = one.folder / one.episode.video
    told = escape(f"{one.policy} in {one.world}, episode {one.episode.seed}: {one.outcome}")
    attributes = f'{poster(path)} autoplay muted playsinline aria-label="{told}"'
    video = f'<video src="{file_address(path)}"{attributes}></video>'
    outcome = element("span", escape(one.outcome), class_="good" if one.episode.success else "bad")
    return element("figure", video, element("figcaption", element("strong", escape(name)), outcome))
