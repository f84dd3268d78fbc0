-- The spine: projects' resources, the catalog, the log book. Forward-only; never edited once merged.

create table api_keys (
  id          text primary key,
  project_id  text not null,
  name        text not null,
  -- SHA-256 of the key, hexadecimal. Keys hold 256 random bits, so a plain digest cannot be reversed by guessing.
  key_hash    text not null unique,
  hint        text not null,
  scopes      jsonb not null,
  users       jsonb,
  gateways    jsonb,
  tools       jsonb,
  expires_at  timestamptz,
  created_at  timestamptz not null
);

create table sources (
  project_id  text not null,
  id          text not null,
  -- The source as the room keeps it (domain Source), secrets included: read only by sources/store.ts.
  definition  jsonb not null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  primary key (project_id, id)
);

create table tools (
  id          text not null,
  project_id  text not null,
  source_id   text not null,
  toolkit     text not null,
  name        text not null,
  -- '' where the source gives no version.
  version     text not null,
  -- Position in the source's own list, so that lists keep the source's order.
  position    integer not null,
  available   boolean not null,
  listing     jsonb not null,
  first_seen  timestamptz not null,
  primary key (id, version)
);
create index tools_by_source on tools (project_id, source_id);

create table gateways (
  id          text primary key,
  project_id  text not null,
  slug        text not null unique,
  definition  jsonb not null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null
);

-- Ids begin with the time, so the primary key is also the order of time.
create table audit_events (
  id           text primary key,
  time         timestamptz not null,
  project_id   text not null,
  kind         text not null,
  decision     text not null,
  code         text,
  reason       text,
  user_id      text,
  principal    text,
  gateway      text,
  tool         text,
  tool_id      text,
  source       text,
  execution_id text,
  duration_ms  double precision,
  trace_id     text,
  changes      jsonb
);
create index audit_events_by_user on audit_events (user_id, id);

-- How far each journal has been drained. Written in the same transaction as the rows it speaks of.
create table journal_positions (
  journal_id  text primary key,
  segment     bigint not null,
  "offset"    bigint not null
);

-- One row per Idempotency-Key of POST /v1/tools/execute.
create table executions (
  project_id   text not null,
  -- SHA-256 of principal and Idempotency-Key.
  key_hash     text not null,
  request_hash text not null,
  -- null while the call runs.
  status       integer,
  response     jsonb,
  created_at   timestamptz not null,
  primary key (project_id, key_hash)
);
create index executions_by_age on executions (created_at);
