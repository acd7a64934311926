"""What the page of the demo tells a reader who sees it for the first time."""

from collections.abc import Mapping

from robossl.config.demo import DemoConfig

_TASKS = {
    "reach": "The robot arm has to move its gripper to a ball and to stay there.",
    "push": "The robot arm has to push a puck onto a plate.",
    "pick_and_place": "The robot arm has to put a cube on a block.",
    "stack": "The robot arm has to stack one cube on another.",
    "button_press": "The robot arm has to press a button.",
    "drawer_opening": "The robot arm has to open a drawer.",
    "sort_by_colour": "The robot arm has to sort cubes by their colour.",
}
_DOMAINS = {
    "randomized": "The simulator that training saw; colours, light, textures and camera change in each episode.",
    "nominal": "The same simulator with its usual, fixed look.",
    "heldout": "Another physics engine and renderer that no training saw. It stands in for a change of world, and is "
    "not a real robot.",
}
_POLICIES = {
    "pretrained, frozen": "The point of the demo: a policy on the pretrained encoder, which is left unchanged.",
    "random, frozen": "The same on an encoder with random weights, as a baseline.",
    "from scratch, end to end": "Encoder and policy both learned from the demonstrations alone, as a baseline.",
    "none: ...": "No pictures: a policy that is told the simulator's state, the scripted expert, and random actions. "
    "They show what is possible, and what chance does.",
}


def lead(config: DemoConfig) -> str:
    """Return what was done, in which sizes, and where to look first."""
    recipe = config.recipe
    return (
        f"An encoder learned from the pictures of {recipe.num_play_episodes} episodes of undirected play in each task, "
        f"without labels. Policies then imitated {recipe.num_demonstrations} demonstrations of each task and were "
        f"measured in {config.num_eval_episodes} new episodes of each domain. "
        "Look first at heldout in the figure below: there “pretrained, frozen” should lie above “random, frozen” and "
        "“from scratch”. Bars are 95 % intervals; the table below them says which differences are more than chance."
    )


def terms(config: DemoConfig) -> Mapping[str, str]:
    """Return the tasks, domains and policies of the page with what they mean."""
    return {task: _TASKS[task] for task in config.tasks} | _DOMAINS | _POLICIES
