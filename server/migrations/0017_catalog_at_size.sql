-- Lists of a hundred thousand tools are read again only where they differ.

-- Another text after every change of what the source lists; null: an older version wrote it.
alter table offers add column revision text;
-- Of what the source says of the tool, beside its name and version; null: an older version wrote it.
alter table tools add column digest text;

drop index tools_by_source;
create index tools_by_source on tools (project_id, source_id, position, id, version);
