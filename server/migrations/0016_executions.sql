-- Calls of tools that outlive their request: one row for each whose end somebody may want to know.
create table hub_executions (
  -- te_…
  id            text primary key,
  project_id    text not null,
  -- SHA-256 of who began it, and where: nobody else hears of it.
  owner         text not null,
  -- null: outside any gateway.
  gateway_id    text,
  -- SHA-256 of the owner and the idempotency key; null: none, or one that is free again, as nothing was done.
  key_hash      text,
  -- Of the tool and its input: under one key there is one of both.
  request_hash  text not null,
  tool_id       text not null,
  -- As answers name the tool.
  ref           text not null,
  mode          text not null,
  -- 'pending', 'running', 'waiting', 'succeeded', 'failed', 'cancelled', 'unknown'.
  status        text not null,
  -- 'input', 'consent', 'approval'; null: it does not wait.
  waiting_for   text,
  -- How often it was begun.
  attempt       integer not null,
  -- Whether it does no harm to begin it again where nobody knows how it ended.
  repeatable    boolean not null,
  -- Somebody wants it to end.
  cancelled     boolean not null,
  -- What is to be called, and for whom.
  request       text not null,
  -- What it waits for, or how it ended; '' : nothing yet.
  answer        text not null,
  -- The process that has it, as long as it says so; nobody's, or over: another one takes it.
  leased_by     text not null,
  leased_until  timestamptz not null,
  created_at    timestamptz not null,
  ended_at      timestamptz,
  -- When it is given up; once it ended, when it is forgotten.
  expires_at    timestamptz not null
);
create unique index hub_executions_by_key on hub_executions (key_hash) where key_hash is not null;
create index hub_executions_by_owner on hub_executions (owner, ended_at);
create index hub_executions_by_lease on hub_executions (leased_until) where status in ('pending', 'running');
create index hub_executions_by_expiry on hub_executions (expires_at) where status not in ('pending', 'running');
