-- What models of others made of the tools of the catalogue.

-- Made again where it is missing, so nothing is lost with it.
create table hub_kept (
  -- 'vector', 'enrichment'
  kind      text not null,
  -- Which model made it, and how it was asked.
  model     text not null,
  -- SHA-256 of what the model was told: the same words are made once, whoever has them.
  hash      text not null,
  -- Vectors: the factor (a float of 4 bytes), then an int8 for each dimension; enrichments: JSON.
  content   bytea not null,
  -- When it was made, or, give or take two days, some replica had a tool with these words.
  used_at   timestamptz not null,
  primary key (kind, model, hash)
);
create index hub_kept_used_at on hub_kept (used_at);

-- Who makes it: one replica at a time, and so much a day.
create table hub_making (
  kind        text primary key,
  holder      text not null,
  held_until  timestamptz not null,
  day         date not null,
  made        integer not null
);
