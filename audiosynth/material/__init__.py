"""Recordings: found, indexed, sent to splits, decoded, kept."""
