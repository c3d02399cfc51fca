// The settings of accounts, of sessions over HTTP, and of what is kept of activity.

import * as places from './config-place-values.ts';
import { optional, withDefault } from './config-setting-notes.ts';
import * as values from './config-values.ts';
import { ITERATIONS_MAX, ITERATIONS_MIN } from './scram-verifier.ts';

const { choice, duration, path, period } = values;

const accounts = 'Accounts';
const loginSettings = {
  ACCOUNTS: optional(choice(['on', 'off']), {
    group: accounts,
    summary:
      'Whether Gatepost keeps accounts, in a schema gatepost of PostgreSQL; unset is on with the ' +
      'embedded PostgreSQL, and off otherwise',
  }),
  ACCOUNTS_DATABASE_URL: optional(places.postgresDsn, {
    group: accounts,
    summary:
      'Connection string of the PostgreSQL that keeps the accounts; unset is the one that is ' +
      'queried',
    secret: 'connection-string',
  }),
  ACCOUNTS_DATABASE_URL_FILE: optional(path('file'), {
    group: accounts,
    summary: 'File that holds ACCOUNTS_DATABASE_URL',
  }),
  ACCOUNTS_SCRAM_ITERATIONS: withDefault(
    values.wholeNumber(ITERATIONS_MIN, ITERATIONS_MAX),
    '65536',
    {
      group: accounts,
      summary: 'Rounds of PBKDF2 that a new password is kept with',
    },
  ),
  WIRE_AUTH: withDefault(choice(['none', 'accounts']), 'none', {
    group: accounts,
    summary: 'Whether clients of the listeners log in with an account',
  }),
  WIRE_ALLOW_INSECURE: withDefault(values.flag, 'false', {
    group: accounts,
    summary:
      'Whether a listener beyond loopback may be without TLS and without accounts; whoever ' +
      'reaches it acts as the user of the database',
  }),
  SESSION_SECRET: optional(values.secrets, {
    group: accounts,
    summary:
      'What session cookies are signed with; the first signs, all are accepted; unset is one ' +
      'that is made and kept with the accounts',
    secret: 'whole',
  }),
  SESSION_SECRET_FILE: optional(path('file'), {
    group: accounts,
    summary: 'File that holds SESSION_SECRET',
  }),
  SESSION_IDLE_TIMEOUT: withDefault(duration, '30m', {
    group: accounts,
    summary: 'How long a session over HTTP may be without a request',
  }),
  SESSION_MAX_AGE: withDefault(duration, '12h', {
    group: accounts,
    summary: 'How long a session over HTTP may last, used or not',
  }),
};

const activity = 'Activity';
const activitySettings = {
  ACTIVITY: optional(choice(['on', 'off']), {
    group: activity,
    summary:
      'Whether statements, requests and the log are also kept in a database gatepost of MongoDB; ' +
      'unset is as ACCOUNTS, but a MongoDB of your own is written to only where one of the two ' +
      'is set to on',
  }),
  ACTIVITY_MONGODB_URI: optional(places.mongodbUri, {
    group: activity,
    summary:
      'Connection string of the MongoDB that keeps activity, log, sessions and cached answers; ' +
      'unset is the one that is queried',
    secret: 'connection-string',
  }),
  ACTIVITY_MONGODB_URI_FILE: optional(path('file'), {
    group: activity,
    summary: 'File that holds ACTIVITY_MONGODB_URI',
  }),
  ACTIVITY_RETENTION: withDefault(period, '30d', {
    group: activity,
    summary: 'How long a record of activity is kept',
  }),
  ACTIVITY_LOG_RETENTION: withDefault(period, '7d', {
    group: activity,
    summary: 'How long a line of the log is kept in MongoDB',
  }),
};

export const accountSettings = { ...loginSettings, ...activitySettings };
