"""What hardening costs: CPU per request of this service against a bare one, as a ratio."""
