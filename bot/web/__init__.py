"""Pages, health and webhooks."""
