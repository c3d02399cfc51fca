// The REST API as the service puts it together, on a port of its own, in front of real databases.
import { createApi } from '../../routes/api.ts';
import type { ApiOptions } from '../../routes/api.ts';
import { createApp } from '../../routes/app.ts';
import { createHttpServer } from '../../routes/http-server.ts';
import { hashToken } from '../../src/api-tokens.ts';
import type { Limits } from '../../src/config.ts';
import type { CacheResult, StatementFinished } from '../../src/observation.ts';
import { createReadiness } from '../../src/readiness.ts';
import type { ResponseCache } from '../../src/store/response-cache.ts';
import { createRecorder } from './observations.ts';

/** They survive JSON. */
export interface ApiStageOptions {
  readonly dsn?: string;
  readonly mongodbUri?: string;
  readonly limits?: Partial<Limits>;
  /** Statement kinds, commands and stages that are not run. */
  readonly deny?: { readonly postgres?: readonly string[]; readonly mongodb?: readonly string[] };
  /** Tables and collections that are hidden below /api. */
  readonly hidden?: readonly string[];
}

/** Parts of the API that are made elsewhere. */
export interface ApiStageParts extends Partial<Omit<ApiOptions, 'config' | 'observer'>> {
  readonly recorder?: ReturnType<typeof createRecorder>;
  readonly config?: Partial<ApiOptions['config']>;
}

export interface ApiStage {
  readonly url: string;
  readonly port: number;
  /** The statement-finished observations so far. */
  statements(): readonly StatementFinished[];
  /** What the cache came to, answer by answer: hit, miss, bypass. */
  cacheResults(): readonly CacheResult[];
  /** What went wrong in ways that nobody may see. */
  faults(): readonly unknown[];
  stop(): Promise<void>;
}

/** Bearer tokens: one may only read, the others do everything. */
export const READER = 'gp_reader';
export const ADMIN = 'gp_admin';
export const OTHER_ADMIN = 'gp_other';

/** How long a test waits for its own stage to stop. */
const STOP_TIMEOUT_MS = 5000;

const LIMITS: Limits = {
  rowsMax: 10_000,
  bytesMax: 100 * 1024 * 1024,
  queryTimeoutMs: 30_000,
  onLimit: 'truncate',
};

/** @param cache where answers are kept; stopped with the stage */
export async function startApi(
  options: ApiStageOptions,
  cache?: ResponseCache,
  { recorder = createRecorder(), config, ...parts }: ApiStageParts = {},
): Promise<ApiStage> {
  const { dsn = '', mongodbUri = '' } = options;
  const api = await createApi({
    version: '1.2.3',
    observer: recorder,
    cache,
    ...parts,
    upstreams: { postgres: () => dsn, mongodb: () => mongodbUri },
    config: { ...createConfig(options), ...config },
  });
  const app = createApp({
    version: '1.2.3',
    observer: recorder,
    readiness: createReadiness({ observer: recorder, probes: [] }),
    metrics: { render: () => Promise.resolve(''), contentType: 'text/plain' },
    api,
  });
  const server = createHttpServer({ host: '127.0.0.1', port: 0, app, observer: recorder });
  await server.start(new AbortController().signal);
  await api.start(new AbortController().signal);
  const url = server.url ?? '';
  return {
    url,
    port: Number(new URL(url).port),
    statements: () =>
      recorder.observations.filter((observation) => observation.kind === 'statement-finished'),
    cacheResults: () =>
      recorder.observations.flatMap((one) => (one.kind === 'cache-answered' ? [one.result] : [])),
    faults: () => recorder.observations.filter((observation) => observation.kind === 'fault'),
    stop: async () => {
      const deadline = AbortSignal.timeout(STOP_TIMEOUT_MS);
      await api.stop(deadline);
      await server.stop(deadline);
    },
  };
}

function createConfig({
  dsn,
  mongodbUri,
  deny = {},
  hidden = [],
  limits: own,
}: ApiStageOptions): ApiOptions['config'] {
  const limits = { ...LIMITS, ...own };
  const rules = { allow: [], access: 'read-write' } as const;
  const pool = { connectionsMax: 10, idleTimeoutMs: 10_000, acquireTimeoutMs: 5000 };
  return {
    tokens: [
      { name: 'reader', scope: 'read', sha256: hashToken(READER) },
      { name: 'admin', scope: 'admin', sha256: hashToken(ADMIN) },
      { name: 'other', scope: 'admin', sha256: hashToken(OTHER_ADMIN) },
    ],
    rateLimitPerMinute: 0,
    trustProxy: 0,
    isLoopbackOnly: true,
    corsOrigins: [],
    isMetricsOpen: true,
    tables: { allow: [], deny: hidden, readOnly: [] },
    postgres:
      dsn === undefined
        ? undefined
        : {
            isRequired: true,
            upstreamDsn: dsn,
            limits,
            policy: { ...rules, deny: deny.postgres ?? [] },
            idleTimeoutMs: 60_000,
            pool,
          },
    mongodb:
      mongodbUri === undefined
        ? undefined
        : {
            isRequired: true,
            mongodbUri,
            limits,
            policy: { ...rules, deny: deny.mongodb ?? [], isJavaScriptAllowed: true },
            pool,
          },
  };
}
