-- What a source offers beside tools, and whose the names of toolkits are.

-- One row for each source that was ever listed, until it is forgotten.
create table offers (
  project_id   text not null,
  source_id    text not null,
  available    boolean not null,
  -- What an MCP server declared that it can do, as text.
  capabilities json not null,
  first_seen   timestamptz not null,
  primary key (project_id, source_id)
);

create table offer_entries (
  -- Derived from project, source, kind and name or URI.
  id          text primary key,
  project_id  text not null,
  source_id   text not null,
  -- prompt, resource, template
  kind        text not null,
  position    integer not null,
  -- The entry as the source wrote it, as text; it holds the name or the URI.
  listed      json not null,
  first_seen  timestamptz not null
);
create index offer_entries_by_source on offer_entries (project_id, source_id, position);

-- Rules speak of `Toolkit.Tool`: they mean the tools of this source. Kept while the source is known, whatever it lists.
create table toolkit_owners (
  project_id  text not null,
  -- In lower case.
  toolkit     text not null,
  source_id   text not null,
  primary key (project_id, toolkit)
);

insert into offers
select project_id, source_id, bool_or(available), '{}', min(first_seen) from tools group by project_id, source_id;

-- Until now a name belonged to the tool that was known longest.
insert into toolkit_owners
select distinct on (project_id, lower(toolkit)) project_id, lower(toolkit), source_id
from tools where position('/' in toolkit) = 0
order by project_id, lower(toolkit), first_seen, id;

-- A toolkit inside another source's, such as a.b in a, is nobody's: its tools could be named like those.
delete from toolkit_owners inner_one using toolkit_owners outer_one
where inner_one.project_id = outer_one.project_id and inner_one.source_id <> outer_one.source_id
  and starts_with(inner_one.toolkit, outer_one.toolkit || '.');
