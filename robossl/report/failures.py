"""How policies failed: first, middle and last frame of failed episodes."""

from collections.abc import Sequence

from robossl.report.html import element, escape, file_address
from robossl.report.kept_episodes import Shown, within

_MOST_STRIPS = 90
"""On a page, shared by the envs."""
_NOTE = (
    "First, middle and last frame of the first failed episodes. Reward is the last one and, behind it, the best of the "
    "episode; the dense reward of the arms is minus the distance to the goal in metres."
)


def failures_section(shown: Sequence[Shown]) -> str:
    """Return a gallery a policy, world after world; at most 90 pictures, of which each env has its share."""
    failed = [one for one in shown if one.episode.strip]
    among = within(failed, _MOST_STRIPS)
    drawn = [one for one in failed if id(one) in among]
    blocks = []
    for env, policy in dict.fromkeys((one.env, one.policy) for one in drawn):
        of_policy = [one for one in drawn if (one.env, one.policy) == (env, policy)]
        groups = []
        for world in dict.fromkeys(one.world for one in of_policy):
            pictures = [_strip(one) for one in of_policy if one.world == world]
            groups.append(element("div", element("h4", escape(world)), *pictures))
        title = element("summary", escape(f"{policy}, {env}"))
        blocks.append(element("details open", title, element("div", *groups, class_="failures")))
    hidden = f" {len(failed) - len(drawn)} more lie in the folders of the runs." if len(failed) > len(drawn) else ""
    return "".join(blocks) + (element("p", escape(_NOTE + hidden), class_="note") if drawn else "")


def _strip(one: Shown) -> str:
    episode = one.episode
    told = escape(f"{one.policy} in {one.world}, episode {episode.seed}, failed: first, middle and last frame")
    image = f'<img src="{file_address(one.folder / episode.strip)}" alt="{told}" loading="lazy">'
    caption = (
        f"episode {episode.seed}: {one.outcome}, reward {episode.last_reward:.2f} (best {episode.best_reward:.2f})"
    )
    return element("figure", image, element("figcaption", escape(caption)))
