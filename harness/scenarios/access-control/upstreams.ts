import { randomBytes } from 'node:crypto';
import type { UpstreamAddresses } from '../gateway-under-test.ts';
import { startAtlassianServer } from './atlassian-server.ts';
import { createDesk, type Desk } from './desk.ts';
import { startGithubWorker } from './github-worker.ts';
import { startWorkerTap, type WorkerTap } from './worker-tap.ts';

/** The servers behind the gateway under test, and what the judge knows of them. */
export interface Upstreams {
  readonly addresses: UpstreamAddresses;
  readonly desk: Desk;
  readonly tap: WorkerTap;
  /** Where the worker is reached around the gateway, and around the tap. */
  readonly workerUri: string;
  close(): Promise<void>;
}

export async function startUpstreams(strictWorker: boolean): Promise<Upstreams> {
  const desk = createDesk();
  const secret = randomBytes(32).toString('hex');
  const worker = await startGithubWorker(desk, secret, strictWorker);
  const tap = await startWorkerTap(worker.url);
  const atlassian = await startAtlassianServer(desk);
  return {
    addresses: {
      github: { workerUri: tap.uri, secret, mcpUri: `${tap.uri}/mcp` },
      atlassian: { mcpUri: atlassian.url },
    },
    desk,
    tap,
    workerUri: worker.url,
    async close() {
      await atlassian.close();
      await tap.close();
      await worker.stop();
    },
  };
}
