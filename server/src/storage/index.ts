/**
 * Storage: the database. Opens it (PGlite in a thread of its own, or a PostgreSQL server), migrates it, runs queries
 * and transactions with the same results on both, keeps the embedded one tidy, and locks the data directory. Tells
 * replicas of one database what changed. Reaches a
 * Redis server, where replicas share one. It never knows what tables and keys mean: each room writes its own SQL.
 */

export type { ChangeListener, Changes } from './changes.ts';
export { openChanges } from './changes.ts';
export type { ColumnType, Db, Queries, Row, RowLines } from './contract.ts';
export type { DirectoryLock } from './lock.ts';
export { lockDataDir } from './lock.ts';
export type { StorageDeps } from './open-database.ts';
export { openDatabase } from './open-database.ts';
export type { Redis, RedisScript } from './redis.ts';
export { openRedis, redisScript } from './redis.ts';
export type { DbAnswer, DbRequest, RemoteDb, ServedDb } from './remote-db.ts';
export { createRemoteDb, serveDb } from './remote-db.ts';
export type { SqlError } from './sql-error.ts';
export { sqlStateOf } from './sql-error.ts';
export { prepareTemplate } from './template.ts';
