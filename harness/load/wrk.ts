import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectClient, type Job, type Measurement } from './client.ts';
import type { Generator } from './generator.ts';
import { openConnection } from './http-connection.ts';

/** Whether Debian's wrk is installed. */
export function hasWrk(): boolean {
  try {
    execFileSync('wrk', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // It tells its version and ends with 1.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/**
 * A load generator that takes next to nothing of the cores that it shares with what it measures. All connections send one
 * and the same call, in one session where there are sessions; of the answers it looks at the status alone, once the first was right.
 */
export function startWrk(): Generator {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-wrk-'));
  const script = join(folder, 'call.lua');
  return {
    async run(job) {
      const { hostname, port } = new URL(job.url);
      const client = await connectClient(job, openConnection(hostname, Number(port)));
      try {
        const { request, fault } = await client.sameCall();
        if (fault !== null) throw new Error(fault);
        writeFileSync(script, scriptOf(request));
        return await runScript(script, job);
      } finally {
        await client.end();
      }
    },
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function runScript(script: string, { url, connections, durationMs }: Job): Promise<Measurement> {
  const seconds = `${Math.ceil(durationMs / 1000)}s`;
  const args = ['-t', '1', '-c', String(connections), '-d', seconds, '-s', script, url];
  const { stdout } = await promisify(execFile)('wrk', args);
  const [answers = 0, wrong = 0, tookUs = 1, p50Us = 0, p99Us = 0] = JSON.parse(
    stdout.slice(stdout.lastIndexOf('\n[')),
  ) as number[];
  return {
    answers,
    wrong,
    firstWrong: wrong === 0 ? null : stdout,
    perSecond: answers / (tookUs / 1e6),
    p50Ms: p50Us / 1000,
    p99Ms: p99Us / 1000,
  };
}

/** What is within JSON's quotes means the same within Lua's, where it is ASCII. */
const scriptOf = (request: string): string => `
local call = ${JSON.stringify(request)}
request = function() return call end
done = function(summary, latency)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("\\n[%d,%d,%d,%d,%d]\\n", summary.requests, wrong, summary.duration, latency:percentile(50), latency:percentile(99)))
end
`;
