-- What a source lists is kept as it lies in memory: a list of ten thousand tools is a row, and some hundred blocks of definitions.

-- All of its tools but their definitions, as columns, compressed; null: an older version wrote them, to the table tools.
alter table offers add column tools bytea;
alter table offers alter column tools set storage external;
-- The revision that it was written with: older versions change the one and do not know the other.
alter table offers add column tools_revision text;

-- How the source wrote its list: of each tool a mark, by which the entry is known again, and what else they depend on.
alter table offers add column seen_about text;
alter table offers add column seen_marks bytea;
alter table offers alter column seen_marks set storage external;

-- The definitions of some tools each, compressed; a block never changes.
create table tool_blocks (
  project_id  text not null,
  source_id   text not null,
  -- Made of what is in it.
  id          text not null,
  bytes       bytea not null,
  primary key (project_id, source_id, id)
);
alter table tool_blocks alter column bytes set storage external;
