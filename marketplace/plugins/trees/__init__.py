"""Where files come from: the protocol `Tree` (in `tree`) and the trees that parsing can read."""
