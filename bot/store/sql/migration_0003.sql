-- Subscriptions at WebSub hubs. No reference to feeds: one of a feed that left is still to be given back.
create table hubs (
    key text primary key,
    n bigint generated always as identity,
    feed text not null,
    due timestamptz not null,
    body text not null
);
create index hubs_feed on hubs (feed);
create index hubs_due on hubs (due);
