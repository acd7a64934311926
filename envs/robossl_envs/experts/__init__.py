"""Scripted experts: they read the simulator's truth through the env and steer the gripper.

They hold no memory: the action is a function of the state, so that a cloned policy can know it too. One phase fades
into the next, without a threshold: an action that jumps with the state is hard to clone.
"""
