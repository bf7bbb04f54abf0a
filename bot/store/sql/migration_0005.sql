-- The server process of whoever holds a lease: when it is gone, so is the holder, and nobody need wait for the time.
alter table leases add backend integer not null default 0;
