/** One sample line of the Prometheus text format. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

interface OpenFamily extends Family {
  readonly name: string;
  type: string;
  readonly samples: Sample[];
}

const HEAD_LINE = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const SAMPLE_LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?Inf|NaN)$/i;

/**
 * Reads a Prometheus text strictly: every family has HELP and TYPE before its samples, every
 * sample belongs to the family above it, and no series is there twice. Throws at the first line
 * that breaks this.
 */
export function parsePrometheusText(text: string): Map<string, Family> {
  const families = new Map<string, OpenFamily>();
  const series = new Set<string>();
  let current: OpenFamily | undefined;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, word, name = '', rest = ''] = HEAD_LINE.exec(line) ?? [];
    if (word === 'HELP') {
      check(!families.has(name), 'repeats a family', line);
      current = { name, help: rest, type: '', samples: [] };
      families.set(name, current);
    } else if (word === 'TYPE') {
      check(current?.name === name && current.type === '', 'has no HELP above it', line);
      current.type = rest;
    } else {
      const sample = parseSample(line);
      const key = line.slice(0, line.lastIndexOf(' '));
      check(current !== undefined && belongs(sample.name, current), 'is of no family', line);
      check(!series.has(key), 'repeats a series', line);
      series.add(key);
      current.samples.push(sample);
    }
  }
  return families;
}

/** The value of one series; undefined when it is not there. */
export function readSample(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return [...parsePrometheusText(text).values()]
    .flatMap(({ samples }) => samples)
    .find(
      (sample) =>
        sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
    )?.value;
}

function belongs(sample: string, { name, type }: OpenFamily): boolean {
  if (type === 'histogram') {
    return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample);
  }
  return type !== '' && sample === name;
}

function parseSample(line: string): Sample {
  const [, name = '', labelText = '', value = ''] = SAMPLE_LINE.exec(line) ?? [];
  check(name !== '' && NUMBER.test(value), 'is no sample', line);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let parsedLength = 0;
  for (let match = LABEL.exec(labelText); match !== null; match = LABEL.exec(labelText)) {
    const [, label = '', labelValue = ''] = match;
    labels[label] = labelValue;
    parsedLength = LABEL.lastIndex;
  }
  check(parsedLength === labelText.length, 'has broken labels', line);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function check(isTrue: boolean, problem: string, line: string): asserts isTrue {
  if (!isTrue) {
    throw new Error(`Line ${problem}: ${line}`);
  }
}
