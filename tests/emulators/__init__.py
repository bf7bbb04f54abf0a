"""Loopback Telegram and Slack for tests: strict about limits, with a control interface and a log that tests judge by."""
