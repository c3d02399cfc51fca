// What the settings of the runtime mean together.
import { echo } from '../config-problems.ts';
import { parseAddress } from './iggy-http.ts';
import type { IggyCredentials } from './iggy-session.ts';
import type { ConnectorsHttpConfig, IggyConfig } from './runtime-config.ts';

interface IggyValues {
  readonly address: string | readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

interface IggyContext {
  readonly isTls: boolean;
  readonly problems: string[];
  readonly notes: string[];
}

/** The servers and how to log in; undefined, with problems, when that cannot work. */
export function resolveIggy(values: IggyValues, context: IggyContext): IggyConfig | undefined {
  const addresses = resolveAddresses(values.address, context);
  const credentials = resolveCredentials(values, context);
  return credentials && { addresses, credentials };
}

/** Of Iggy's binary protocol, which its own runtime speaks. */
const BINARY_PORT = '8090';

function resolveAddresses(
  address: string | readonly string[],
  { isTls, problems, notes }: IggyContext,
): string[] {
  const texts = typeof address === 'string' ? address.split(',') : address;
  const addresses = texts.map((text) => text.trim()).filter((text) => text !== '');
  if (addresses.length === 0) {
    problems.push('iggy.address names no server: write http://host:3000');
  }
  return addresses.flatMap((text) => {
    const url = toUrl(text, isTls);
    if (url === undefined) {
      problems.push(
        "iggy.address is not one of Iggy's HTTP API: write http://host:3000, without " +
          'credentials or path, and several with commas between them',
      );
      return [];
    }
    if (isTls && url.protocol === 'http:') {
      problems.push('iggy.address begins with http://, and iggy.tls is enabled: write https://');
    }
    if (url.port === BINARY_PORT) {
      notes.push(
        `iggy.address has port ${BINARY_PORT}, which by default is that of Iggy's binary ` +
          "protocol: Gatepost needs its HTTP API's, by default 3000",
      );
    }
    return [url.origin];
  });
}

function toUrl(text: string, isTls: boolean): URL | undefined {
  try {
    const url = parseAddress(isTls && !text.includes('://') ? `https://${text}` : text);
    // A path before that of the API is more than the client asks for.
    return `${url.origin}/` === url.href ? url : undefined;
  } catch {
    // Its error says the same, in words for one address of which nothing is known.
    return undefined;
  }
}

function resolveCredentials(
  { username, password, token }: IggyValues,
  { problems, notes }: IggyContext,
): IggyCredentials | undefined {
  if (token !== undefined) {
    if (username !== undefined || password !== undefined) {
      notes.push('iggy.username and iggy.password are not used, because iggy.token is given');
    }
    return { kind: 'token', token };
  }
  if (username === undefined || password === undefined) {
    problems.push(
      'iggy.username and iggy.password, or iggy.token, are missing: write them in the file, or ' +
        'set IGGY_CONNECTORS_IGGY_USERNAME and IGGY_CONNECTORS_IGGY_PASSWORD',
    );
    return undefined;
  }
  return { kind: 'password', username, password };
}

interface HttpValues {
  readonly enabled: boolean;
  readonly address: string;
  readonly api_key?: string | undefined;
}

const PORT_MAX = 65_535;

/** Where the API of the connectors listens; undefined when it is off, or wrong. */
export function resolveHttp(
  { enabled, address, api_key: apiKey }: HttpValues,
  isMetricsEnabled: boolean,
  problems: string[],
): ConnectorsHttpConfig | undefined {
  if (!enabled) {
    return undefined;
  }
  const [, inBrackets, plain, digits] =
    /^(?:\[([\da-f:.]+)\]|([^\s:/@[\]]+)):(\d{1,5})$/i.exec(address.trim()) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host === undefined || port > PORT_MAX) {
    problems.push(`http.address is ${echo(address)}: accepted is host:port, as 127.0.0.1:8081`);
    return undefined;
  }
  return { host, port, apiKey, isMetricsEnabled };
}
