-- What tools looked like when they were approved. A pin outlives its tool's row: a tool that went and came back changed is a changed tool.
create table pins (
  tool_id     text primary key,
  project_id  text not null,
  source_id   text not null,
  -- SHA-256 of each approved definition; more than one where a source lists a tool in several versions.
  approved    jsonb not null,
  -- The approved definition that changes are told against.
  definition  json not null,
  -- Definitions that the source lists now and nobody approved.
  pending     json not null,
  -- Changes that are in the audit already.
  recorded    jsonb not null,
  held        boolean not null
);
create index pins_by_source on pins (project_id, source_id);
