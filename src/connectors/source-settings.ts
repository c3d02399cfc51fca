// The fields of a source's configuration as what they mean.
import { ConnectorError } from './connector-error.ts';
import { parseHumantimeMs } from './humantime.ts';
import type { MongodbSourceConfig } from './mongodb-source-config.ts';
import type { Settlement } from './source-acknowledge.ts';
import { parseExtendedJsonDocument } from './source-values.ts';
import type { Fields } from './source-values.ts';

/** Undefined where documents stay as they are. */
export function settlementOf(config: MongodbSourceConfig): Settlement | undefined {
  if (config.delete_after_read) {
    return { kind: 'delete' };
  }
  const { processed_field: field } = config;
  return field === undefined ? undefined : { kind: 'mark', field };
}

/** A duration of the configuration, which was checked. */
export function durationMs(text: string): number {
  const ms = parseHumantimeMs(text);
  if (ms === undefined) {
    throw new ConnectorError('invalid-config', `"${text}" is no duration: write it as 10s`);
  }
  return ms;
}

/** @throws ConnectorError `invalid-config`, naming the field */
export function parseDocument(text: string | undefined, field: string): Fields | undefined {
  if (text === undefined) {
    return undefined;
  }
  const parsed = parseExtendedJsonDocument(text);
  if ('problem' in parsed) {
    throw new ConnectorError('invalid-config', `${field} cannot be read. ${parsed.problem}`);
  }
  return parsed.value;
}
