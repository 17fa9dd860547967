"""What every service needs. Owned by the template; changes arrive by `make template-update`."""
