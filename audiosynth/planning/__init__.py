"""What `plan` stands on: lengths, places, the rules of a scene."""
