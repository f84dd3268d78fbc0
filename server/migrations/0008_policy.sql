-- Grants, rules, limits, plugins and hooks, as they were asked for.
create table policy_entries (
  project_id  text not null,
  kind        text not null,
  id          text not null,
  -- As text, so that members keep their order. Of plugins it holds secrets: read only by policy/entries.ts.
  definition  json not null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  primary key (project_id, id)
);
create index policy_entries_by_kind on policy_entries (kind, created_at, id);

-- Calls that wait for an approval.
create table approvals (
  id           text primary key,
  project_id   text not null,
  -- SHA-256 of user, key, gateway, tool, arguments and rules: the call that it lets through.
  call_hash    text not null,
  -- pending, approved, denied, used; one that expired is known by its time.
  status       text not null,
  rules        json not null,
  approvers    json not null,
  user_id      text,
  principal    text not null,
  gateway      text,
  tool         text not null,
  tool_id      text not null,
  -- Sealed with a key of this installation.
  sealed_args  text not null,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,
  decided_by   text,
  decided_at   timestamptz,
  reason       text
);
create index approvals_by_call on approvals (call_hash, created_at);
create index approvals_by_age on approvals (project_id, created_at);
