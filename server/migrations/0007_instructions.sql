-- What an MCP server says to a model about itself, as text; "" where it says nothing.
alter table offers add column instructions json not null default '""';
