// What the connectors runtime is configured with: config.toml, one file a connector, and the
// environment, by the names of Apache Iggy's own runtime.
import type { ConnectorError } from './connector-error.ts';
import type {
  ConnectorType,
  PayloadSchema,
  Sink,
  SinkContext,
  Source,
  SourceContext,
} from './connector.ts';
import type { IggyCredentials } from './iggy-session.ts';
import type { ConnectorRegistry } from './registry.ts';

/** The world as the configuration sees it. */
export interface ConnectorsInputs {
  readonly configPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to. */
  readonly workingDirectory: string;
  /** The text of a file of UTF-8, of a bounded size; throws as `node:fs` does. */
  readonly readTextFile: (path: string) => string;
  /** The names in a directory; throws as `node:fs` does. */
  readonly listDirectory: (path: string) => readonly string[];
  /** Gatepost's own unless given. */
  readonly registry?: ConnectorRegistry;
}

export interface ConnectorsConfig {
  readonly iggy: IggyConfig;
  /** An absolute path. */
  readonly statePath: string;
  /** Undefined when it is switched off. */
  readonly http: ConnectorsHttpConfig | undefined;
  /** Of the connectors' files; an absolute path. */
  readonly configDirectory: string;
  /** By type and key. */
  readonly connectors: readonly ConnectorConfig[];
  /** Files that define no connector, because what they say cannot be read or has no key. */
  readonly refusedFiles: readonly RefusedFile[];
  /** What is accepted and yet does nothing, or probably not what was meant: for the log. */
  readonly notes: readonly string[];
}

export interface IggyConfig {
  /** With scheme, as IggyClient takes them. */
  readonly addresses: readonly string[];
  readonly credentials: IggyCredentials;
}

export interface ConnectorsHttpConfig {
  readonly host: string;
  readonly port: number;
  readonly apiKey: string | undefined;
  /** `/metrics`. */
  readonly isMetricsEnabled: boolean;
}

export interface RefusedFile {
  readonly file: string;
  readonly problem: ConnectorError;
}

/** A connector that can start is told from one that cannot by its `problem`. */
export type ConnectorConfig = ReadySink | ReadySource | RefusedConnector;

interface ConnectorBase {
  readonly type: ConnectorType;
  /** Of letters, digits, `-` and `_`; two connectors may share it when their types differ. */
  readonly key: string;
  readonly name: string;
  readonly isEnabled: boolean;
  /** The absolute path of its file. */
  readonly file: string;
  /** For the log, once at its start. */
  readonly notes: readonly string[];
  /** For the API: by the names of the file, defaults included, secrets masked. */
  readonly shown: ShownConfig;
}

export interface ShownConfig {
  readonly streams: readonly Readonly<Record<string, unknown>>[];
  readonly pluginConfig: Readonly<Record<string, unknown>>;
}

export interface ReadySink extends ConnectorBase {
  readonly type: 'sink';
  readonly problem: undefined;
  readonly streams: readonly SinkStream[];
  readonly create: (context: SinkContext) => Sink;
}

export interface ReadySource extends ConnectorBase {
  readonly type: 'source';
  readonly problem: undefined;
  readonly stream: SourceStream;
  readonly create: (context: SourceContext) => Source;
}

export interface RefusedConnector extends ConnectorBase {
  /** `invalid-config`, naming each field that is wrong. */
  readonly problem: ConnectorError;
}

export interface SinkStream {
  readonly stream: string;
  readonly topics: readonly string[];
  readonly schema: PayloadSchema;
  /** Messages in one poll. */
  readonly batchLength: number;
  readonly pollIntervalMs: number;
  readonly consumerGroup: string;
}

export interface SourceStream {
  readonly stream: string;
  readonly topic: string;
  readonly schema: PayloadSchema;
  /** Messages in one send. */
  readonly batchLength: number;
  /** Create the stream and the topic when they are missing, with so many partitions. */
  readonly isAutoCreated: boolean;
  readonly partitionsCount: number;
}
