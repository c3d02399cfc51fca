// What a request of an operation looks like, made of the examples in the API's description.
import { scopeOf } from './openapi-security.ts';
import type { OpenApiDocument, Parameter } from './openapi-types.ts';
import { parametersOf } from './openapi-walk.ts';
import type { DescribedOperation } from './openapi-walk.ts';

export interface SampleRequest {
  readonly method: string;
  /** Percent-encoded, with its query string. */
  readonly url: string;
  readonly hasToken: boolean;
  /** JSON of the first example; undefined where there is no body. */
  readonly body: string | undefined;
}

/** A request that is true where the examples' tables and collections are. */
export function createSample(
  document: OpenApiDocument,
  described: DescribedOperation,
): SampleRequest {
  const { path, method, operation } = described;
  const parameters = parametersOf(document, described);
  const search = new URLSearchParams(parameters.flatMap(toQuery)).toString();
  const [body] = Object.values(operation.requestBody?.content ?? {});
  const [example] = Object.values(body?.examples ?? {});
  return {
    method: method.toUpperCase(),
    url: `${fillPath(path, parameters)}${search === '' ? '' : `?${search}`}`,
    hasToken: scopeOf(operation.security) !== undefined,
    body: example === undefined ? undefined : JSON.stringify(example.value),
  };
}

function fillPath(path: string, parameters: readonly Parameter[]): string {
  const values = new Map(parameters.map(({ name, example }) => [name, example]));
  return path.replace(/\{(\w+)\}/g, (_match, name: string) =>
    encodeURIComponent(textOf(values.get(name))),
  );
}

function textOf(example: Parameter['example']): string {
  return typeof example === 'object' ? '' : String(example ?? '');
}

/** Only what has an example. */
function toQuery({ in: place, name, example }: Parameter): [string, string][] {
  if (place !== 'query' || example === undefined) {
    return [];
  }
  return typeof example === 'object' ? Object.entries(example) : [[name, textOf(example)]];
}

/** The request as a command of a POSIX shell, where $GATEPOST and $TOKEN are set. */
export function formatCurl({ method, url, hasToken, body }: SampleRequest): string {
  return [
    `curl -s${method === 'GET' ? '' : ` -X ${method}`} "$GATEPOST"${quote(url)}`,
    ...(hasToken ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(body === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d ${quote(body)}`]),
  ].join(' \\\n  ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
