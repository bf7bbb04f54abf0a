-- By which name the server knows the connections of the process that has the feed in hand: when it died, there are none.
alter table polls add holder text;
