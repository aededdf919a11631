"""Speech corpora as others lay them out, one reader a file: from their lists to utterances, nothing decoded and nothing run."""
