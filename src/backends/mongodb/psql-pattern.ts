// Names by pattern. psql turns `\d pe*` into the regular expression `^(pe.*)$`; it runs here in
// time linear in the name's length, whatever a client writes into it.
import { ServiceError, SQLSTATE } from '../../errors.ts';
import { SQL_STATE } from './sql-answer.ts';

/** Longest pattern: a name has at most 255 bytes in MongoDB. */
const PATTERN_LENGTH_MAX = 512;

/** Steps of one pattern over all names: half a second; 10 000 plain names need a tenth of them. */
const STEPS_MAX = 5_000_000;

type Test = (character: string) => boolean;

/** Offsets are relative to the instruction's own. */
type Instruction =
  | { readonly kind: 'character'; readonly test: Test }
  | { readonly kind: 'split'; readonly offsets: readonly [number, number] }
  | { readonly kind: 'jump'; readonly offset: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

type Program = readonly Instruction[];

export class NamePattern {
  readonly #source: string;
  readonly #program: Program;
  #steps = 0;

  /**
   * @param source of PostgreSQL's regular expressions: letters, `.`, `[…]`, `( | )`, `* + ?`,
   *   `^ $`, and a backslash before a sign
   * @throws ServiceError 2201B for anything else
   */
  constructor(source: string) {
    this.#source = source;
    this.#program = new PatternParser(source).parse();
  }

  /** Whether no letter of it is a capital: psql folds what is not quoted. */
  get isFolded(): boolean {
    return this.#source === this.#source.toLowerCase();
  }

  /**
   * Whether it is found in the name.
   *
   * @throws ServiceError 54001 once all names together have taken too many steps
   */
  matches(name: string): boolean {
    let threads = new Set<number>();
    const characters = Array.from(name);
    for (let position = 0; position <= characters.length; position += 1) {
      this.#follow(threads, 0, position === 0, position === characters.length);
      if (threads.has(this.#program.length)) {
        return true;
      }
      threads = this.#advance(threads, characters, position);
    }
    return false;
  }

  #advance(threads: Set<number>, characters: readonly string[], position: number): Set<number> {
    const advanced = new Set<number>();
    const character = characters[position];
    for (const index of threads) {
      const instruction = this.#program[index];
      if (
        character !== undefined &&
        instruction?.kind === 'character' &&
        instruction.test(character)
      ) {
        this.#follow(advanced, index + 1, false, position + 1 === characters.length);
      }
    }
    return advanced;
  }

  /** Adds an instruction, and those that it leads to without a character. */
  #follow(threads: Set<number>, from: number, isStart: boolean, isEnd: boolean): void {
    const pending = [from];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      this.#countStep();
      if (threads.has(index)) {
        continue;
      }
      threads.add(index);
      pending.push(...successors(this.#program[index], index, isStart, isEnd));
    }
  }

  #countStep(): void {
    this.#steps += 1;
    if (this.#steps > STEPS_MAX) {
      throw new ServiceError(
        SQLSTATE.statementTooComplex,
        'The name pattern takes too long over the names that there are',
        { hint: 'Use a plainer one, such as a name with *' },
      );
    }
  }
}

function successors(
  instruction: Instruction | undefined,
  index: number,
  isStart: boolean,
  isEnd: boolean,
): readonly number[] {
  switch (instruction?.kind) {
    case 'split':
      return instruction.offsets.map((offset) => index + offset);
    case 'jump':
      return [index + instruction.offset];
    case 'start':
      return isStart ? [index + 1] : [];
    case 'end':
      return isEnd ? [index + 1] : [];
    default:
      return [];
  }
}

class PatternParser {
  readonly #characters: readonly string[];
  readonly #source: string;
  #position = 0;

  constructor(source: string) {
    this.#source = source;
    this.#characters = Array.from(source.slice(0, PATTERN_LENGTH_MAX + 1));
  }

  parse(): Program {
    if (this.#characters.length > PATTERN_LENGTH_MAX) {
      throw this.#refusal();
    }
    const program = this.#alternation();
    if (this.#position < this.#characters.length) {
      throw this.#refusal();
    }
    return program;
  }

  #alternation(): Program {
    const first = this.#sequence();
    if (!this.#accept('|')) {
      return first;
    }
    const other = this.#alternation();
    return [
      { kind: 'split', offsets: [1, first.length + 2] },
      ...first,
      { kind: 'jump', offset: other.length + 1 },
      ...other,
    ];
  }

  #sequence(): Program {
    const program: Instruction[] = [];
    while (!['|', ')', undefined].includes(this.#characters[this.#position])) {
      program.push(...this.#repeated());
    }
    return program;
  }

  #repeated(): Program {
    const atom = this.#atom();
    if (this.#accept('*')) {
      const back: Instruction = { kind: 'jump', offset: -(atom.length + 1) };
      return [{ kind: 'split', offsets: [1, atom.length + 2] }, ...atom, back];
    }
    if (this.#accept('+')) {
      return [...atom, { kind: 'split', offsets: [-atom.length, 1] }];
    }
    return this.#accept('?') ? [{ kind: 'split', offsets: [1, atom.length + 1] }, ...atom] : atom;
  }

  #atom(): Program {
    const character = this.#take();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return [{ kind: 'character', test: this.#bracket() }];
      case '.':
        return [{ kind: 'character', test: () => true }];
      case '^':
        return [{ kind: 'start' }];
      case '$':
        return [{ kind: 'end' }];
      case '\\':
        return this.#escaped();
      case '*':
      case '+':
      case '?':
      case '{':
        throw this.#refusal();
      default:
        return [{ kind: 'character', test: (other) => other === character }];
    }
  }

  #group(): Program {
    const program = this.#alternation();
    if (!this.#accept(')')) {
      throw this.#refusal();
    }
    return program;
  }

  #escaped(): Program {
    const character = this.#take();
    if (/[\p{L}\p{N}]/u.test(character)) {
      throw this.#refusal();
    }
    return [{ kind: 'character', test: (other) => other === character }];
  }

  /** Characters and ranges; the first character may be a closing bracket. */
  #bracket(): Test {
    const isNegated = this.#accept('^');
    const ranges: [string, string][] = [];
    do {
      const from = this.#take();
      if (from === '[' || from === '\\') {
        throw this.#refusal();
      }
      const isRange = this.#characters[this.#position + 1] !== ']' && this.#accept('-');
      ranges.push([from, isRange ? this.#take() : from]);
    } while (!this.#accept(']'));
    return (character) =>
      ranges.some(([from, to]) => from <= character && character <= to) !== isNegated;
  }

  #take(): string {
    const character = this.#characters[this.#position];
    if (character === undefined) {
      throw this.#refusal();
    }
    this.#position += 1;
    return character;
  }

  #accept(character: string): boolean {
    const isThere = this.#characters[this.#position] === character;
    this.#position += isThere ? 1 : 0;
    return isThere;
  }

  #refusal(): ServiceError {
    return new ServiceError(
      SQL_STATE.invalidRegularExpression,
      `Name pattern is not understood: ${this.#source.slice(0, PATTERN_LENGTH_MAX)}`,
      { hint: 'Use letters, *, ?, [a-z] and |; double quotes make signs part of a name' },
    );
  }
}
