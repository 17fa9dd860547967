"""Development tools: they start, feed and inspect the service, and are never in the image."""
