// A session's run-time settings, and what transactions do to them.
import { ServiceError, SQLSTATE } from '../../errors.ts';
import type { Notice, Setting } from '../backend.ts';
import { SQL_STATE, warning } from './sql-answer.ts';
import { createSettingRules } from './sql-setting-table.ts';
import type { SessionIdentity, SettingRule } from './sql-setting-table.ts';
import { durationMs, parseEjsonMode } from './sql-setting-values.ts';
import type { EjsonMode } from './extended-json.ts';

export interface SettingEntry {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

/** What cannot be taken otherwise than by its own way. */
const SETTING_HINTS: Readonly<Record<string, string>> = {
  'gatepost.ejson': 'It is relaxed, canonical or lossless',
  client_encoding: 'Results are UTF8: leave client_encoding at UTF8',
  default_transaction_read_only: 'The listener decides by its access what may be written',
  transaction_read_only: 'The listener decides by its access what may be written',
};

export class SessionSettings {
  readonly #rules: ReadonlyMap<string, SettingRule>;
  /** Values that differ from the rules', by the lower-case name. */
  #values = new Map<string, string>();
  /** What RESET goes back to: the start-up packet's values. */
  #initial: ReadonlyMap<string, string> = new Map();
  /** Those that ROLLBACK goes back to; undefined outside of a transaction. */
  #atBegin: ReadonlyMap<string, string> | undefined;
  /** Those that COMMIT goes back to, of settings that were SET LOCAL. */
  readonly #beforeLocal = new Map<string, string>();

  constructor(rules: readonly SettingRule[]) {
    this.#rules = new Map(rules.map((rule) => [rule.name.toLowerCase(), rule]));
  }

  /** Every setting, sorted by name. */
  get entries(): readonly SettingEntry[] {
    return [...this.#rules.values()].map((rule) => this.#entry(rule));
  }

  /** The settings whose values a client is told without asking. */
  get reported(): readonly Setting[] {
    return [...this.#rules.values()]
      .filter((rule) => rule.isReported === true)
      .map((rule) => [rule.name, this.#entry(rule).value] as const);
  }

  get ejsonMode(): EjsonMode {
    return parseEjsonMode(this.entry('gatepost.ejson').value) ?? 'lossless';
  }

  /** Longest time that the client has asked for; 0 when it has not. */
  get statementTimeoutMs(): number {
    return durationMs(this.entry('statement_timeout').value);
  }

  /** @throws ServiceError 42704 for a name that is no setting's */
  entry(name: string): SettingEntry {
    return this.#entry(this.#rule(name));
  }

  /**
   * Changes a setting, until the transaction's end where it is `local`.
   *
   * @throws ServiceError 42704 unknown, 22023 no such value, 55P02 or 0A000 never to be changed
   */
  set(name: string, value: string, scope: 'session' | 'local' = 'session'): void {
    const rule = this.#rule(name);
    const key = rule.name.toLowerCase();
    const before = this.#entry(rule).value;
    const parsed = acceptValue(rule, value, before);
    if (scope === 'session') {
      this.#beforeLocal.delete(key);
    } else if (!this.#beforeLocal.has(key)) {
      this.#beforeLocal.set(key, before);
    }
    this.#values.set(key, parsed);
  }

  /** @throws ServiceError 42704 unknown, 55P02 never to be changed */
  reset(name: string): void {
    const rule = this.#rule(name);
    const key = rule.name.toLowerCase();
    this.set(name, this.#initial.get(key) ?? rule.value);
  }

  resetAll(): void {
    this.#values = new Map(this.#initial);
    this.#beforeLocal.clear();
  }

  /** The values so far are those that RESET goes back to. */
  keepAsInitial(): void {
    this.#initial = new Map(this.#values);
  }

  begin(): void {
    this.#atBegin = new Map(this.#values);
    this.#beforeLocal.clear();
  }

  commit(): void {
    for (const [key, value] of this.#beforeLocal) {
      this.#values.set(key, value);
    }
    this.#beforeLocal.clear();
    this.#atBegin = undefined;
  }

  rollback(): void {
    this.#values = new Map(this.#atBegin ?? this.#values);
    this.#beforeLocal.clear();
    this.#atBegin = undefined;
  }

  #entry({ name, value, description }: SettingRule): SettingEntry {
    return { name, value: this.#values.get(name.toLowerCase()) ?? value, description };
  }

  #rule(name: string): SettingRule {
    const rule = this.#rules.get(name.toLowerCase());
    if (rule === undefined) {
      throw new ServiceError(
        SQL_STATE.undefinedObject,
        `unrecognized configuration parameter "${name}"`,
        {
          hint:
            'SHOW ALL lists those that there are; of MongoDB, show takes dbs, collections, ' +
            'users, roles and profile',
        },
      );
    }
    return rule;
  }
}

function acceptValue(rule: SettingRule, value: string, current: string): string {
  const hint = SETTING_HINTS[rule.name];
  const options = hint === undefined ? {} : { hint };
  const parsed = rule.parse === undefined ? undefined : rule.parse(value, current);
  if (rule.parse === undefined || rule.name.endsWith('transaction_read_only')) {
    if ((parsed ?? value).toLowerCase() === current.toLowerCase()) {
      return current;
    }
    throw new ServiceError(
      SQL_STATE.cannotChangeRuntimeParameter,
      `parameter "${rule.name}" cannot be changed`,
      { detail: `On this port it is "${current}"`, ...options },
    );
  }
  if (parsed === undefined) {
    throw new ServiceError(
      SQLSTATE.invalidParameterValue,
      `invalid value for parameter "${rule.name}": "${value}"`,
      options,
    );
  }
  return parsed;
}

/** What a session starts with. */
export interface SessionStart extends SessionIdentity {
  readonly applicationName: string;
  /** Of the start-up packet, `options` included, in the order in which they take effect. */
  readonly settings: readonly Setting[];
}

/**
 * The settings of a new session. What it asked for and cannot have is left at its default, with a
 * notice for each: a client that PostgreSQL would refuse can talk to MongoDB all the same.
 */
export function createSessionSettings(start: SessionStart): {
  readonly settings: SessionSettings;
  readonly notices: readonly Notice[];
} {
  const settings = new SessionSettings(createSettingRules(start));
  const notices: Notice[] = [];
  for (const [name, value] of [
    ['application_name', start.applicationName] as const,
    ...start.settings,
  ]) {
    try {
      settings.set(name, value);
    } catch (thrown) {
      if (!(thrown instanceof ServiceError)) {
        throw thrown;
      }
      notices.push({ ...warning(SQLSTATE.warning, thrown.message), hint: thrown.hint });
    }
  }
  settings.keepAsInitial();
  return { settings, notices: notices.slice(0, NOTICES_MAX) };
}

/** A start-up packet may hold thousands of settings. */
const NOTICES_MAX = 20;
