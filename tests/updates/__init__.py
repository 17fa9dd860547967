"""Updates of the real template: what a team wrote stays, where it wrote it."""
