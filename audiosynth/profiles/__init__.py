"""Noise profiles: read, learned from recordings, and turned into sound."""
