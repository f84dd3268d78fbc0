-- What must outlive the memory of a process of sessions of clients with a handshake: no row for those of which nothing must.
create table sessions (
  -- The random id inside the sealed one that the client holds.
  id         text primary key,
  ended      boolean not null,
  log_level  text,
  -- Grows by one with every write, so that a replica sees what it has not seen.
  changes    integer not null,
  issued_at  timestamptz not null,
  changed_at timestamptz not null
);
create index sessions_by_age on sessions (issued_at);
create index sessions_by_change on sessions (changed_at);

create table session_subscriptions (
  session_id text not null references sessions (id) on delete cascade,
  -- As the gateway writes it.
  uri        text not null,
  primary key (session_id, uri)
);
