"""The composition root: the only package that names adapters. Builds everything, starts it, and stops it in order.

config → store, fetcher, parser, chats → poll → ingest → deliver, with commands beside them

`parts` makes single adapters, `messengers` the chat platforms, `newcomer` the first start without a configuration;
`roles` says which part of it a process does, `together` what several share, `bot` puts all of it together.
"""

from bot.app.bot import App, run, running
from bot.app.parts import check_slack, check_telegram, make_fetcher, make_parser, open_store_for

__all__ = ["App", "check_slack", "check_telegram", "make_fetcher", "make_parser", "open_store_for", "run", "running"]
