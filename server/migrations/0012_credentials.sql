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

-- What was kept for users at MCP servers was sealed in another way: they consent once more.
drop table connections;
drop table connection_clients;
drop table connection_flows;

-- An account of a user at a provider, or at an MCP server, and what we may do there.
create table connections (
  -- con_…
  id                text primary key,
  project_id        text not null,
  -- 'provider' or 'source', and its id.
  target_kind       text not null,
  target_id         text not null,
  -- '' : nobody in particular; with it a source's lists are asked for.
  user_id           text not null,
  -- Who consented, where a person was signed in; null where an API key vouched for the user.
  person_id         text,
  -- What the user calls this account: unique among theirs there.
  name              text not null,
  -- Whom the provider knows: the same one again is the same account. '' where it does not say.
  subject           text not null,
  is_default        boolean not null,
  -- Gateways (slugs) and tools (ids) for which this account is used before the default one.
  gateways          json not null,
  tools             json not null,
  -- What it was given for: for another address or another client it is not used.
  bound_to          text not null,
  issuer            text not null,
  asked_scopes      json not null,
  granted_scopes    json not null,
  -- What the provider says of the user; shown to them, and given to tools.
  user_info         json not null,
  -- When the user consented lately, in milliseconds.
  consented_at_ms   json not null,
  -- 'active'; 'revoked': it is not taken any more, and the user must consent anew.
  status            text not null,
  sealed            text not null,
  -- Grows whenever its tokens change.
  version           bigint not null,
  -- A replica is renewing it until then.
  renewing_until    timestamptz,
  expires_at        timestamptz,
  -- From then on it is renewed, while what there is still serves; null: it cannot be.
  renew_at          timestamptz,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  last_used_at      timestamptz,
  unique (project_id, target_kind, target_id, user_id, name)
);
create index connections_of_user on connections (project_id, user_id);

-- With which account the lists of a source are asked for: only of the source that was named when the user consented, and only at
-- the address that it had then.
create table list_connections (
  project_id     text not null,
  source_id      text not null,
  uri            text not null,
  connection_id  text not null references connections (id) on delete cascade,
  primary key (project_id, source_id)
);
create index list_connections_by_connection on list_connections (connection_id);

-- As whom the server is known to the authorization servers of MCP servers.
create table connection_clients (
  project_id  text not null,
  source_id   text not null,
  issuer      text not null,
  sealed      text not null,
  created_at  timestamptz not null,
  primary key (project_id, source_id, issuer)
);

-- Consents under way, and for a while how they ended.
create table connection_flows (
  -- ac_…
  id             text primary key,
  project_id     text not null,
  target_kind    text not null,
  target_id      text not null,
  user_id        text not null,
  -- Who must be signed in at the browser; null where an API key vouches for the user.
  person_id      text,
  -- The account that is meant; null: whichever it turns out to be.
  account        text,
  -- The source whose lists are to be asked for with it, and its address; null: none.
  lists          json,
  scopes         json not null,
  next_uri       text,
  -- What users know the target by, and where they are sent to; null where they enter something here.
  label          text not null,
  host           text,
  -- SHA-256, hexadecimal: of what is in the address that the user opens; of `state` and the cookie of the browser that opened it
  -- last; of what names the flow to the project's own verifier.
  token_hash     text not null unique,
  state_hash     text unique,
  browser_hash   text,
  verify_hash    text unique,
  -- '' once it has ended.
  sealed         text not null,
  -- 'pending', 'verifying' (consented, and nobody has said yet that it was the user), 'completed', 'failed'.
  status         text not null,
  -- Why it failed: a stable word, a sentence for the user, and what to do about it.
  failure        text,
  reason         text,
  advice         text,
  -- The connection that came of it.
  connection_id  text,
  -- Whether its answer has come, which is taken once.
  answered       boolean not null,
  -- Whether whoever waits was told how it failed.
  told           boolean not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null,
  ended_at       timestamptz
);
create index connection_flows_of on connection_flows (project_id, user_id, target_kind, target_id);
create index connection_flows_by_expiry on connection_flows (status, expires_at);

-- What the issuer gave in a sign-in, where the project exchanges it for tokens of other systems; '' : nothing, or nothing any more.
alter table sign_ins add column tokens_sealed text not null default '';
alter table sign_ins add column tokens_version bigint not null default 0;
-- A replica is renewing it until then.
alter table sign_ins add column tokens_renewing_until timestamptz;
create index sign_ins_with_tokens on sign_ins (project_id) where tokens_sealed <> '';
