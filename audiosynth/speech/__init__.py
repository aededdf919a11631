"""Speech: engines, voices, utterances with their times, and phrases that are not the keyword."""
