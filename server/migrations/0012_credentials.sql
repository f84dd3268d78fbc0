-- The vault, and what people let us do in their name: providers, connections, consents under way, secrets.

-- Keys that wrap the data keys of records; each is wrapped by a root key, which is never here.
create table vault_keys (
  id           text primary key,
  -- Of the root key that wraps it, as it is named by who runs the server.
  root_key_id  text not null,
  wrapped      text not null,
  -- What is sealed now is sealed with the one that is active; from the others everything moves away, and they go.
  active       boolean not null,
  created_at   timestamptz not null,
  retired_at   timestamptz
);
create unique index vault_keys_active on vault_keys (active) where active;

-- What the vault sealed of these rows; '' : nothing, or, in rows of a version before it, not yet. The secrets are not in the
-- other columns then.
alter table sources add column sealed text not null default '';
alter table policy_entries add column sealed text not null default '';
alter table user_sources add column sealed text not null default '';
alter table signing_keys add column sealed text not null default '';
alter table gateways add column sealed text not null default '';

-- OAuth providers and others at which users connect accounts, as the API registered them.
create table auth_providers (
  project_id  text not null,
  id          text not null,
  definition  jsonb not null,
  -- Client secret and keys; '' where there are none.
  sealed      text not null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  primary key (project_id, id)
);

-- Values that tools and servers are given.
create table secrets (
  id                text primary key,
  organization_id   text not null,
  -- '' : of the whole organisation.
  project_id        text not null,
  key               text not null,
  description       text not null,
  sealed            text not null,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  last_accessed_at  timestamptz,
  unique (organization_id, project_id, key)
);

-- How it is made sure that who consents is the user; a project without a row goes by the defaults.
create table session_verification (
  project_id                text primary key,
  verifier_url              text,
  unsafe_skip_verification  boolean not null,
  updated_at                timestamptz not null
);
