"""Where entries come from: fetching, parsing, scheduling and finding feeds."""
