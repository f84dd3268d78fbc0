-- What people, and use, say of tools: by the tool's stable id, so that it outlives the tool's going and coming back.

create table hub_curations (
  project_id  text not null,
  tool_id     text not null,
  -- As text, so that members keep their order.
  curation    json not null,
  primary key (project_id, tool_id)
);

-- What was searched for before a tool was used. It does not say by whom.
create table hub_queries (
  project_id  text not null,
  tool_id     text not null,
  -- led: it found the tool; missed: it did not, or far down.
  outcome     text not null,
  query       text not null,
  -- Each caller once a day.
  uses        integer not null,
  -- Keyed hashes of callers, each with the day on which it was counted last.
  callers     json not null,
  last_used   timestamptz not null,
  primary key (project_id, tool_id, outcome, query)
);

-- What people found no tool for.
create table hub_needs (
  project_id    text not null,
  -- Derived from what is needed, so that the same is told once.
  id            text not null,
  need          text not null,
  reports       integer not null,
  callers       json not null,
  -- The hash of its only caller, while there is no other.
  only_caller   text,
  last_reported timestamptz not null,
  primary key (project_id, id)
);

-- What of the review queue nobody wants to see again.
create table hub_dismissals (
  project_id  text not null,
  item_id     text not null,
  at          timestamptz not null,
  primary key (project_id, item_id)
);
