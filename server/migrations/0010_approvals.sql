-- What of a user waits: counted whenever another call is held.
create index approvals_pending on approvals (project_id, coalesce(user_id, '')) where status = 'pending';
-- What is over long enough is removed.
create index approvals_by_expiry on approvals (expires_at);
