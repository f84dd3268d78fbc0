-- As text, so that a record can be made again as the line it was, and its hash with it.
alter table audit_events alter column changes type json using changes::json;
alter table audit_events
  add column policy     json,
  -- Its place in the chain of the journal that it came through; null where it is older than that chain.
  add column journal_id text,
  add column chain_seq  bigint,
  add column chain_hash text;
-- Not unique: a record that somebody put in is to be found, and must not hold up those that come after it.
create index audit_events_by_chain on audit_events (journal_id, chain_seq);
create index audit_events_unchained on audit_events (id) where chain_seq is null;

-- The last record of the journal's chain that is in the log book.
alter table journal_positions add column chain_seq bigint, add column chain_hash text;
