"""Effects: sound to sound. One file each; `apply(y, ctx)` changes it, `extent(n, sr)` and `segments(n, sr)` say how it moves in time."""
