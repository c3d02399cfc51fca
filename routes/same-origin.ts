// Whether a write that a browser has added a cookie to comes from a page of ours. Pure.

/** What a request says of where it comes from. */
export interface CookieRequest {
  readonly method: string;
  /** Where it was sent to, as a trusted proxy says; undefined in HTTP/1.0. */
  readonly host: string | undefined;
  /** Whether it came by TLS, as far as can be told. */
  readonly isSecure: boolean;
  readonly origin: string | undefined;
  /** The header Sec-Fetch-Site. */
  readonly fetchSite: string | undefined;
}

const READING_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function isReading(method: string): boolean {
  return READING_METHODS.has(method);
}

/**
 * Whether a request that is told by its cookie writes, and says that it comes from elsewhere. What
 * a client leaves out is not held against it: browsers send both headers with writes, and programs
 * need not.
 */
export function isForeignWrite(request: CookieRequest): boolean {
  const { method, fetchSite, origin } = request;
  if (isReading(method)) {
    return false;
  }
  const isOtherSite = fetchSite !== undefined && fetchSite.toLowerCase() !== 'same-origin';
  return isOtherSite || (origin !== undefined && !isOwnOrigin(origin, request));
}

function isOwnOrigin(origin: string, { host, isSecure }: CookieRequest): boolean {
  // Where a proxy ends TLS and does not say so, the scheme is not known.
  const isOurs = host !== undefined && isSameHost(origin, host);
  return isOurs && (!isSecure || origin.toLowerCase().startsWith('https:'));
}

/** Whether an origin's host and port are those of a Host header. */
export function isSameHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
