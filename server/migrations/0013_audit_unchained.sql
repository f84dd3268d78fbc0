-- Every record paid for it, and only verification looked: `audit_events_by_chain` finds records that are in no chain, too.
drop index audit_events_unchained;
