"""Rooms: impulse responses. One file each; `response(ctx)` gives a `Response`."""
