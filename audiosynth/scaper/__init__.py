"""Soundscapes of scaper: its JAMS files read, and its own chain of sound kept as a mode."""
