"""Files: audio, strict YAML, paths below roots."""
