"""The recipe language: nodes that stand still, draw, or look at each other."""
