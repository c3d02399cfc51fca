// The cookie that a session over HTTP is told by. Pure.
import type { Request } from 'express';

/** Browsers take the prefix only with Secure, Path=/ and no Domain: no other host can set it. */
const SECURE_PREFIX = '__Host-';

const NAME = 'gatepost.sid';

/** One cookie: over TLS another one than without, so that neither can stand for the other. */
export interface CookieKind {
  readonly name: string;
  readonly isSecure: boolean;
}

const KINDS = {
  secure: { name: `${SECURE_PREFIX}${NAME}`, isSecure: true },
  plain: { name: NAME, isSecure: false },
} as const satisfies Readonly<Record<string, CookieKind>>;

/**
 * The cookie of a request's connection.
 *
 * @param isTlsRequired whether it is for TLS only, whatever the connection is
 */
export function cookieOf({ secure }: Pick<Request, 'secure'>, isTlsRequired: boolean): CookieKind {
  return secure || isTlsRequired ? KINDS.secure : KINDS.plain;
}

/** Whether a request has the cookie, right or wrong. */
export function hasCookie({ headers }: Pick<Request, 'headers'>, { name }: CookieKind): boolean {
  return (headers.cookie ?? '').split(';').some((part) => part.trimStart().startsWith(`${name}=`));
}

interface CookieAttributes {
  readonly httpOnly: true;
  readonly sameSite: 'strict';
  readonly path: '/';
  readonly secure: boolean;
}

/** Without Expires: the browser forgets it when it ends, and the store when its time is over. */
export function attributesOf({ isSecure }: CookieKind): CookieAttributes {
  return { httpOnly: true, sameSite: 'strict', path: '/', secure: isSecure };
}
