"""The commands of `audiosynth`, a file for each group; only these print."""
