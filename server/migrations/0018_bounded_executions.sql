-- What is kept of executions is bounded for each project as well: keys may name any user, and each of them is a caller.
create index hub_executions_open_of_project on hub_executions (project_id) where ended_at is null;
create index hub_executions_ended_of_project on hub_executions (project_id, ended_at) where ended_at is not null;
