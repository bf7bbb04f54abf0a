-- What several processes share. Times here are this server's clock, the only one that all of them can ask.

-- A named thing that one process at a time may do. Whoever takes it over gets a higher epoch.
create table leases (
    name text primary key,
    epoch bigint not null,
    holder text not null,
    until timestamptz not null
);

-- Parsed documents on their way from who polled them to who takes them in.
create table inbox (
    n bigint generated always as identity primary key,
    tries integer not null default 0,
    body text not null
);

-- When the next message of a platform, chat or group may go: seconds since 1970.
create table pace (
    key text primary key,
    free_at double precision not null
);

-- What people did, by the platform's id of it: each has one effect.
create table seen (
    key text primary key,
    at timestamptz not null,
    done boolean not null default false
);
create index seen_at on seen (at);

-- Chats are served in lanes; `woken` is true while a job that will look at the lane is queued and has not begun.
create table lanes (
    lane smallint primary key,
    woken boolean not null default false
);
insert into lanes select generate_series(0, 63);

alter table claims add lane smallint generated always as (hashtext(chat) & 63) stored;
create index claims_lane on claims (lane, free_at) where free_at is not null;
