"""Tasks: scene, goal, reward and success, written once for both engines."""
