// The built program with connectors: started in the directory of a stage, and asked over HTTP.
import * as z from 'zod';
import type { ConnectorsStage } from './connectors-stage.ts';
import { untilFound } from './facts.ts';
import { ask, askJson } from './http-client.ts';
import type { Question } from './http-client.ts';
import { httpUrlOf } from './start-service.ts';
import type { RunningService } from './start-service.ts';

const connectorSchema = z.object({
  key: z.string(),
  type: z.string(),
  status: z.string(),
  lastError: z.object({ message: z.string() }).nullable(),
  pluginConfig: z.record(z.string(), z.unknown()),
  counters: z.record(z.string(), z.number()),
});

type Shown = z.infer<typeof connectorSchema>;

/** The file of a sink of the stage's topic. */
export function sinkToml(
  { stream, topic, place }: Pick<ConnectorsStage, 'stream' | 'topic'> & { readonly place: string },
  key: string,
  more = '',
): string {
  return `
type = "sink"
key = "${key}"

[[streams]]
stream = "${stream}"
topics = ["${topic}"]

[plugin_config]
payload_format = "json"
${place}${more}`;
}

/** JSON payloads that tell their order. */
export const orders = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ order: index }));

/** The connector at a path; fails where the answer is another. */
export async function shown(
  service: RunningService,
  where: string,
  question: Question = {},
): Promise<Shown> {
  const [status, body] = await askJson(`${httpUrlOf(service)}${where}`, question);
  if (status !== 200) {
    throw new Error(`${where} answers ${status}: ${JSON.stringify(body)}`);
  }
  return connectorSchema.parse(body);
}

/** Resolves with the connector once this is true of it. */
export async function untilShown(
  service: RunningService,
  where: string,
  is: (connector: Shown) => boolean,
): Promise<Shown> {
  return await untilFound(async () => {
    const connector = await shown(service, where);
    return is(connector) ? connector : undefined;
  }, `what ${where} is to show`);
}

export const isRunning = ({ status }: Shown): boolean => status === 'running';

export async function metricsOf(service: RunningService, question: Question = {}): Promise<string> {
  return (await ask(`${httpUrlOf(service)}/metrics`, question)).text;
}
