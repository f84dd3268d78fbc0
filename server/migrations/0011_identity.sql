-- People, projects, sign-ins, and what the authorization server keeps.

create table organizations (
  id          text primary key,
  name        text not null,
  created_at  timestamptz not null
);
create table projects (
  -- Unique over all organisations: every resource names its project by this alone.
  id               text primary key,
  organization_id  text not null references organizations (id),
  name             text not null,
  created_at       timestamptz not null
);
create index projects_by_organization on projects (organization_id);
insert into organizations (id, name, created_at) values ('default', 'Default', '1970-01-01T00:00:00Z');
insert into projects (id, organization_id, name, created_at)
values ('default', 'default', 'Default', '1970-01-01T00:00:00Z');

-- Everybody who signed in, was invited or was provisioned. Never deleted while anything names them; made inactive.
create table people (
  id               text primary key,
  organization_id  text not null references organizations (id),
  -- In lower case; '' where the issuer gives none.
  email            text not null,
  name             text not null,
  active           boolean not null,
  -- What the directory that provisions them (SCIM) keeps of them: userName, externalId and the rest, as it was given.
  provisioned      json,
  external_id      text,
  -- The userName in lower case; null where no directory keeps them.
  user_name        text,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  last_sign_in_at  timestamptz
);
create index people_by_email on people (organization_id, email);
create unique index people_by_user_name on people (organization_id, user_name) where user_name is not null;
create index people_by_external_id on people (organization_id, external_id) where external_id is not null;

-- Who somebody is to an issuer, by each source of it that they came in by: issuer and subject never change their owner.
create table person_identities (
  issuer      text not null,
  subject     text not null,
  -- A source belongs to a project, which belongs to an organisation: the same person at the same issuer may be in two.
  organization_id text not null,
  person_id   text not null references people (id),
  -- The source ('': a link of the project, or of all), and the user id that its claim gave last.
  project_id  text not null,
  source_id   text not null,
  user_id     text not null,
  claims      json not null,
  groups      json not null,
  seen_at     timestamptz not null,
  primary key (organization_id, issuer, subject, project_id, source_id)
);
create index person_identities_by_person on person_identities (person_id);
create index person_identities_by_source on person_identities (project_id, source_id);

create table memberships (
  person_id        text not null references people (id),
  organization_id  text not null,
  -- '' : in every project of the organisation.
  project_id       text not null,
  role             text not null,
  created_at       timestamptz not null,
  primary key (person_id, organization_id, project_id)
);

-- Links that work once: invitations, and sign-ins where there is no user source.
create table links (
  id               text primary key,
  -- SHA-256, hexadecimal.
  token_hash       text not null unique,
  kind             text not null,
  organization_id  text not null,
  project_id       text not null,
  email            text not null,
  role             text not null,
  created_by       text,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  used_at          timestamptz
);

-- Groups that a directory provisions (SCIM).
create table directory_groups (
  id               text primary key,
  organization_id  text not null references organizations (id),
  display_name     text not null,
  -- The name in lower case: grants go by names, so no two groups have the same.
  name_key         text not null,
  external_id      text,
  -- Counts changes, of members too.
  version          bigint not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null
);
create unique index directory_groups_by_name on directory_groups (organization_id, name_key);
create table directory_group_members (
  group_id   text not null references directory_groups (id) on delete cascade,
  person_id  text not null references people (id),
  primary key (group_id, person_id)
);
create index directory_group_members_by_person on directory_group_members (person_id);

create table service_accounts (
  id           text primary key,
  project_id   text not null,
  name         text not null,
  description  text not null,
  -- SHA-256 of its client secret, hexadecimal; null where it has none.
  secret_hash  text,
  -- Public keys, for private_key_jwt.
  jwks         json,
  role         text not null,
  active       boolean not null,
  created_at   timestamptz not null,
  updated_at   timestamptz not null
);
alter table api_keys add column service_account_id text;

create table user_sources (
  project_id  text not null,
  id          text not null,
  definition  json not null,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  primary key (project_id, id)
);

-- A person at a browser, until it ends: what tokens and consents of that sign-in hang on.
create table sign_ins (
  id             text primary key,
  person_id      text not null references people (id),
  -- Of the source, whose id is unique only there. '' : by a link.
  project_id     text not null,
  -- '' : by a link.
  source_id      text not null,
  issuer         text not null,
  subject        text not null,
  user_id        text not null,
  groups         json not null,
  claims         json not null,
  -- SHA-256 of the browser's cookie, hexadecimal.
  cookie_hash    text unique,
  user_agent     text not null,
  created_at     timestamptz not null,
  browser_until  timestamptz not null,
  expires_at     timestamptz not null,
  ended_at       timestamptz
);
create index sign_ins_by_person on sign_ins (person_id, created_at);
create index sign_ins_by_expiry on sign_ins (expires_at);

-- What a person allowed a client, on a gateway ('' : the API).
create table consents (
  person_id   text not null references people (id),
  client_id   text not null,
  gateway_id  text not null,
  scopes      json not null,
  created_at  timestamptz not null,
  primary key (person_id, client_id, gateway_id)
);

-- What the authorization server keeps (codes, refresh tokens, grants, clients …), each until it expires.
create table oauth_records (
  model        text not null,
  -- SHA-256 of the id, hexadecimal, where knowing the id is a right.
  id           text not null,
  payload      json not null,
  grant_id     text,
  uid          text,
  user_code    text,
  sign_in_id   text,
  -- Of grants: whom it is given to, and for which gateway ('' : the API).
  client_id    text,
  gateway_id   text,
  consumed_at  timestamptz,
  expires_at   timestamptz,
  primary key (model, id)
);
create index oauth_records_by_grant on oauth_records (grant_id) where grant_id is not null;
create index oauth_records_by_uid on oauth_records (uid) where uid is not null;
create index oauth_records_by_user_code on oauth_records (user_code) where user_code is not null;
create index oauth_records_by_sign_in on oauth_records (sign_in_id) where sign_in_id is not null;
create index oauth_records_by_expiry on oauth_records (expires_at);

create table signing_keys (
  id          text primary key,
  jwk         json not null,
  created_at  timestamptz not null,
  -- From then on nothing is signed with it.
  retires_at  timestamptz not null,
  -- From then on nothing signed with it holds.
  expires_at  timestamptz not null
);

-- What other replicas must look at again. Read by transaction, so none that commits late is missed.
create table changes (
  xid    xid8 not null default pg_current_xact_id(),
  topic  text not null,
  key    text not null,
  at     timestamptz not null
);
create index changes_by_xid on changes (xid);

alter table audit_events add column client_id text;
-- Whom the user of a call that waits is known as, whatever user id they have where.
alter table approvals add column person_id text;

-- What the authorization servers of MCP servers gave us for a user. What is sealed opens only with a key of the server.
create table connections (
  project_id        text not null,
  source_id         text not null,
  -- '' : nobody in particular; with it the source's lists are asked for.
  user_id           text not null,
  -- The address that the tokens are for: they are never sent to another.
  uri               text not null,
  -- Who consented, where a person was signed in; null where an API key vouched for the user.
  person_id         text,
  issuer            text not null,
  serves_list       boolean not null,
  asked_scopes      json not null,
  granted_scopes    json not null,
  -- When the user consented lately, in milliseconds.
  consented_at_ms   json not null,
  sealed            text not null,
  -- The authorization server does not take it any more: the user must consent anew.
  refused           boolean not null,
  -- Grows with every change.
  version           bigint not null,
  -- A replica is renewing it until then.
  renewing_until    timestamptz,
  expires_at        timestamptz,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  primary key (project_id, source_id, user_id)
);
-- As whom the server is known to those authorization servers.
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
  id            text primary key,
  -- SHA-256, hexadecimal: of what is in the address that the user opens, in `state`, and in the browser's cookie.
  token_hash    text not null unique,
  state_hash    text not null unique,
  browser_hash  text,
  project_id    text not null,
  source_id     text not null,
  user_id       text not null,
  -- Who must be signed in at the browser; null where an API key vouches for the user.
  person_id     text,
  serves_list   boolean not null,
  scopes        json not null,
  sealed        text not null,
  status        text not null,
  -- Why it failed, in words for the user.
  reason        text,
  -- Whether its answer has come, which is taken once.
  answered      boolean not null,
  created_at    timestamptz not null,
  expires_at    timestamptz not null,
  ended_at      timestamptz
);
create index connection_flows_of on connection_flows (project_id, source_id, user_id);
create index connection_flows_by_expiry on connection_flows (status, expires_at);
