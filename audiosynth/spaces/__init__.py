"""Where things stand: places, receivers, walls, and what is heard in a box."""
