// Where a source begins that has not read anything yet. What an offset means is known when there
// is a document, and asked for until then.
import { ConnectorError } from './connector-error.ts';
import type { ConnectorLog } from './connector.ts';
import type { Position } from './source-cursor.ts';
import { isExtendedJson, parseOffset, showOffset } from './source-offset.ts';
import type { SourceReader } from './source-reader.ts';

export interface StartOptions {
  readonly trackingField: string;
  readonly reader: SourceReader;
  readonly log: ConnectorLog;
}

export class StartOffset {
  readonly #options: StartOptions;
  readonly #known = new Map<string, Position>();

  constructor(options: StartOptions) {
    this.#options = options;
  }

  /**
   * The position that an offset means, which is behind every document with that value; undefined
   * while there is no document that would tell.
   *
   * @throws ConnectorError `invalid-config` when it means none; what the driver throws
   */
  async find(offset: string, signal: AbortSignal): Promise<Position | undefined> {
    const known = this.#known.get(offset);
    if (known !== undefined) {
      return known;
    }
    const { trackingField, reader, log } = this.#options;
    const type = isExtendedJson(offset) ? undefined : await reader.anyTrackingType(signal);
    if (type === undefined && !isExtendedJson(offset)) {
      return undefined;
    }
    const parsed = parseOffset(offset, type);
    if ('problem' in parsed) {
      throw new ConnectorError(
        'invalid-config',
        `Offset "${offset}" cannot be used. ${parsed.problem}`,
      );
    }
    log.note(`Begins where "${trackingField}" is greater than ${showOffset(parsed.value)}`);
    const position = { tracking: parsed.value };
    this.#known.set(offset, position);
    return position;
  }
}
