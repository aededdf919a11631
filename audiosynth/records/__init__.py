"""Records that travel between the stages, besides the spec."""
