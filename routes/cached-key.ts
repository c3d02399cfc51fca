// What an answer in the cache is found by, and what it is read from.
import { createHash } from 'node:crypto';
import type { RequestContext } from './request-context.ts';

/** The parts of the key as one text in which they cannot run into each other, hashed. */
export function hashKey(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Who asks, and what he may: an answer is for nobody else, and not for him once that changes. */
export function callerParts({ owner, account, scope }: RequestContext): readonly string[] {
  const revision = account === undefined ? '' : `${account.id} ${account.revision}`;
  return [owner ?? 'anonymous', revision, scope];
}

/**
 * Of what is read from one table or collection, and written there over the API.
 *
 * @param container its schema, or its database
 */
export function tableTag(backend: 'postgres' | 'mongodb', container: string, name: string): string {
  return JSON.stringify([backend, container, name]);
}

/** Of what may be read from anywhere in a database server: statements, views. */
export function backendTag(backend: 'postgres' | 'mongodb'): string {
  return backend;
}

/** Password in a connection string: before the host, or in a parameter. */
const PASSWORDS = [/^([a-z0-9+]+:\/\/[^:@/?#]*):[^@/?#]*(?=@)/i, /([?&]password=)[^&#]*/gi];

/**
 * What else an answer depends on: the server, and how it is asked. Another replica may have another
 * one, and another release may write answers otherwise. Of secrets nothing is in it.
 *
 * @param dsn connection string of the database
 */
export function fingerprintOf(version: string, dsn: string, rules: unknown): string {
  const place = PASSWORDS.reduce((text, password) => text.replace(password, '$1'), dsn);
  return hashKey([version, place, JSON.stringify(rules)]);
}
