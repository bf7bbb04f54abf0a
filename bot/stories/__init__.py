"""What is one story: clustering and summaries."""
