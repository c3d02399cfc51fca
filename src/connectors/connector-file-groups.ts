// Two sinks with one consumer group share its offsets: what one of them has stored would be passed
// over by the other. The lease keeps instances of one sink apart, in its own database only.
import { refuseConnector } from './connector-file.ts';
import { toProblem } from './connector-file-open.ts';
import type { ConnectorConfig, ReadySink } from './runtime-config.ts';

/** Refuses sinks that would consume one topic in the name of one group. */
export function refuseSharedGroups(
  connectors: readonly ConnectorConfig[],
): readonly ConnectorConfig[] {
  const sinks = connectors.filter(isRunningSink);
  return connectors.map((connector) => {
    const own = isRunningSink(connector) ? topicsOf(connector) : [];
    for (const other of sinks.filter((one) => one !== connector)) {
      const shared = own.find((topic) => topicsOf(other).includes(topic));
      if (shared !== undefined) {
        return refuseConnector(connector, toProblem([describe(shared, connector, other)]));
      }
    }
    return connector;
  });
}

function isRunningSink(connector: ConnectorConfig): connector is ReadySink {
  return connector.type === 'sink' && connector.problem === undefined && connector.isEnabled;
}

/** Of each topic what makes it one with another: group, stream and name. */
function topicsOf({ streams }: ReadySink): readonly string[] {
  return streams.flatMap(({ stream, topics, consumerGroup }) =>
    topics.map((topic) => [consumerGroup, stream, topic].map((name) => `"${name}"`).join(', ')),
  );
}

function describe(shared: string, sink: ConnectorConfig, other: ConnectorConfig): string {
  return (
    `consumer_group, stream and topic are ${shared} in sink "${sink.key}" and in sink ` +
    `"${other.key}": each would pass over what the other has stored; give each its own group`
  );
}
