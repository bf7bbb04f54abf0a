"""Names of things, told apart by type."""

from __future__ import annotations

from typing import NewType

FeedId = NewType("FeedId", str)  # the address as the operator listed it
EntryId = NewType("EntryId", str)  # stable digest of feed, guid, link and title at first sight
StoryId = NewType("StoryId", str)  # derived from the story's first entry
DeliveryId = NewType("DeliveryId", str)  # "chat|story|kind[|entry]": the uniqueness rule of the outbox
SubscriptionId = NewType("SubscriptionId", int)
