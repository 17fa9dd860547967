"""Layer 3 of 4 · intelligence gateway: every model call goes through one door."""
