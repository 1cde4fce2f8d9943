interface Memory<Key, Value> {
  get(key: Key): Value | undefined
  set(key: Key, value: Value): unknown
}

/** What the map holds for a key, made on first use. */
export function memoized<Key, Value extends object>(map: Memory<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known) return known
  const made = make()
  map.set(key, made)
  return made
}
