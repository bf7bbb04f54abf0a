"""The composition root: the only package that names adapters. Builds everything, starts it, and stops it in order.

config → store, fetcher, parser, chats → poll → ingest → deliver, with commands beside them

`parts` makes single adapters, `messengers` the chat platforms, `newcomer` the first start without a configuration;
`roles` says which part of it a process does, `together` what several share, `bot` puts all of it together, and `run`
lets it live and end.
"""

from bot.app.bot import App
from bot.app.parts import check_slack, check_telegram, make_fetcher, make_parser, open_store_for
from bot.app.run import run, running

__all__ = ["App", "check_slack", "check_telegram", "make_fetcher", "make_parser", "open_store_for", "run", "running"]
