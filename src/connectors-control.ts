// What the API shows and asks of running connectors; the runtime implements it.

export type ConnectorStatus = 'starting' | 'running' | 'stopping' | 'stopped' | 'error';

/** A connector as it may be shown: secrets are masked. */
export interface ShownConnector {
  readonly key: string;
  readonly type: 'sink' | 'source';
  readonly name: string;
  readonly isEnabled: boolean;
  readonly status: ConnectorStatus;
  /** The last reason it stopped or waited, kept until it runs well again. */
  readonly lastError: { readonly message: string; readonly at: Date } | undefined;
  readonly streams: readonly Readonly<Record<string, unknown>>[];
  /** Every field with its value, defaults too. */
  readonly pluginConfig: Readonly<Record<string, unknown>>;
  readonly counters: ConnectorCounters;
}

export interface ConnectorCounters {
  /** Messages polled from Iggy (sink), or made of records (source). */
  readonly received: number;
  /** Messages in the database (sink), or stored by Iggy (source). */
  readonly delivered: number;
  /** Messages that were in the database already (sink). */
  readonly replayed: number;
  /** Messages kept in the dead-letter collection, and given up by the policy. */
  readonly deadLettered: number;
  readonly skipped: number;
  readonly errors: number;
}

export interface ConnectorsControl {
  list(): readonly ShownConnector[];
  /**
   * Stops the connector, reads its configuration again and starts it, also one that its file
   * defines only now; resolves when it is stopped and starting. False when there is none.
   */
  restart(type: ShownConnector['type'], key: string): Promise<boolean>;
}
