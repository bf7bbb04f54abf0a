"""What people get: deciding, rendering, folding and pacing alerts."""
