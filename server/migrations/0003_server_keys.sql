-- Random keys of this installation, shared by its replicas; each made by whoever needs it first.
create table server_keys (
  name        text primary key,
  -- 32 random bytes in base64.
  key         text not null,
  created_at  timestamptz not null
);
