import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../base/index.ts'
import { FieldSelector, LabelSelector } from './selectors.ts'

const labels = { app: 'web', tier: 'front', empty: '', size: '5' }

test('label queries', () => {
  const cases: [string, boolean][] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app=db', false],
    ['app!=db', true],
    ['other!=db', true],
    ['app', true],
    ['!app', false],
    ['!other', true],
    ['app in (db, web)', true],
    ['app in (db,cache)', false],
    ['app notin (db)', true],
    ['other notin (db)', true],
    ['empty=', true],
    ['empty in ()', true],
    ['app in (,web)', true],
    ['empty in (web,)', true],
    ['size>4,size<6', true],
    ['size>5', false],
    ['app>1', false],
    ['app=web,tier=back', false],
    ['  app  =  web , tier in ( front ) ', true],
    ['constructor', false],
    ['in in (in)', false],
    ['example.com/name notin (a)', true],
  ]
  for (const [query, expected] of cases) assert.equal(LabelSelector.parse(query).matches(labels), expected, query)
  assert.equal(LabelSelector.parse('!a').matches(undefined), true)
})

test("faults in label queries have upstream's texts", () => {
  const cases: [string, string | RegExp][] = [
    ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
    ['=web', "found '=', expected: !, identifier, or 'end of string'"],
    ['app=web,', "found '', expected: identifier after ','"],
    ['app=web db', "found 'db', expected: ',' or 'end of string'"],
    ['!app=web', "found '=', expected: ',' or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['app in (web', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['app in (=)', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['app=(', "unable to parse requirement: found '(', expected: identifier"],
    [
      'app>x',
      /^unable to parse requirement: values\[0\]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer$/,
    ],
    [
      'app=_a',
      /^unable to parse requirement: values\[0\]\[app\]: Invalid value: "_a": a valid label must be an empty string/,
    ],
    ['a/b/c=d', /^unable to parse requirement: <nil>: Invalid value: "a\/b\/c": a valid label key must consist/],
    ['constructor constructor', /expected: in, notin/],
  ]
  for (const [query, message] of cases) assert.throws(() => LabelSelector.parse(query), { message }, query)
})

test('selectors of objects', () => {
  assert.equal(LabelSelector.of(undefined).matches(labels), false)
  assert.equal(LabelSelector.of({}).matches(labels), true)
  const selector = LabelSelector.of({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'old', operator: 'DoesNotExist' },
      { key: 'size', operator: 'Exists' },
    ],
  })
  assert.equal(selector.matches(labels), true)
  assert.equal(selector.matches({ ...labels, old: '' }), false)
  assert.equal(selector.toString(), 'app=web,!old,size,tier in (back,front)')
  const bad = (operator: string, values?: string[]) => () =>
    LabelSelector.of({ matchExpressions: [{ key: 'a', operator, values }] })
  assert.throws(bad('Near'), { message: '"Near" is not a valid label selector operator' })
  assert.throws(bad('constructor'), { message: '"constructor" is not a valid label selector operator' })
  assert.throws(bad('In'), {
    message: "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
  })
  assert.throws(bad('Exists', ['b']), {
    message: 'values: Invalid value: ["b"]: values set must be empty for exists and does not exist',
  })
})

test('field queries', () => {
  const fields = { 'metadata.name': 'a', 'spec.nodeName': 'n,1', 'status.phase': '' }
  const cases: [string, boolean][] = [
    ['', true],
    ['metadata.name=a', true],
    ['metadata.name==a,status.phase!=Running', true],
    ['metadata.name!=a', false],
    ['spec.nodeName=n\\,1', true],
    ['status.phase=', true],
    ['unknown=', true],
    [',metadata.name=a,', true],
  ]
  for (const [query, expected] of cases) assert.equal(FieldSelector.parse(query).matches(fields), expected, query)
  assert.equal(FieldSelector.parse('a=b').exact('a'), 'b')
  assert.equal(FieldSelector.parse('a!=b').exact('a'), undefined)
  const faults: [string, string][] = [
    ['abc', "invalid selector: 'abc'; can't understand 'abc'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=b\\c', 'invalid field selector: invalid escape sequence: \\c'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
  ]
  for (const [query, message] of faults) assert.throws(() => FieldSelector.parse(query), { message }, query)
})

test('random selectors mean the same after being written and read', () => {
  const random = seededRandom(11)
  const pick = <T>(from: T[]): T => from[Math.floor(random.next() * from.length)]!
  const keys = ['a', 'b', 'c.d/e']
  const values = ['', 'x', 'y', '7', '12']
  const requirement = () => {
    const key = pick(keys)
    const some = [pick(values), pick(values)].join(',')
    return pick([
      key,
      `!${key}`,
      `${key}=${pick(values)}`,
      `${key}!=${pick(values)}`,
      `${key} in (${some})`,
      `${key} notin (${some})`,
      `${key}>3`,
      `${key}<9`,
    ])
  }
  for (let round = 0; round < 2000; round++) {
    const query = Array.from({ length: 1 + Math.floor(random.next() * 3) }, requirement).join(', ')
    const selector = LabelSelector.parse(query)
    const again = LabelSelector.parse(selector.toString())
    const subject = Object.fromEntries(keys.filter(() => random.next() < 0.6).map(key => [key, pick(values)]))
    assert.equal(again.matches(subject), selector.matches(subject), query)
    assert.equal(again.toString(), selector.toString(), query)
    const value = pick(['a=b', 'c,d', '\\', 'e'])
    const escaped = value.replace(/[\\,=]/g, '\\$&')
    assert.ok(FieldSelector.parse(`f=${escaped}`).matches({ f: value }), value)
  }
})
