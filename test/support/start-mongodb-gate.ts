// A wire listener in this process, in front of the real MongoDB of this run.
import { createMongodbBackend } from '../../src/backends/mongodb/mongodb-backend.ts';
import type { MongoPolicyRules } from '../../src/guardrails/mongo-policy.ts';
import { startGate } from './start-gate.ts';
import type { Gate, GateOptions } from './start-gate.ts';

export interface MongodbGateOptions extends Omit<GateOptions, 'dsn' | 'rules' | 'backend'> {
  readonly uri: string;
  readonly rules?: Partial<MongoPolicyRules>;
}

/** Starts a listener on a free port, in the database of the connection string. */
export async function startMongodbGate({
  uri,
  rules,
  ...options
}: MongodbGateOptions): Promise<Gate> {
  const backend = createMongodbBackend({
    name: 'mongodb',
    uri: () => uri,
    rules: { allow: [], deny: [], access: 'read-write', isJavaScriptAllowed: false, ...rules },
  });
  const gate = await startGate({ ...options, dsn: 'postgresql://unused.invalid/', backend });
  return {
    ...gate,
    stop: async (drainMs) => {
      await gate.stop(drainMs);
      await backend.close();
    },
  };
}
