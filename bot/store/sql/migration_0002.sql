-- Nothing of the chat is given out before.
alter table claims add wait timestamptz;
