// A map that is remembered with, in bounded memory.

/** Puts an entry behind all others; where there are too many then, the foremost is forgotten. */
export function putLast<Value>(
  map: Map<string, Value>,
  key: string,
  value: Value,
  entriesMax: number,
): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > entriesMax) {
    const [foremost] = map.keys();
    map.delete(foremost ?? '');
  }
}
