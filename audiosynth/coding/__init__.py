"""Speech codecs, lossy containers, clocks and packets: what a recording goes through after the microphone."""
