"""What we know of each remote system; usable without the gateway, and importing nothing of it."""
