import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { seededRandom } from '../../base/index.ts'
import { CelError, CompileError, compile, createBudget, fromCel, loadCel, toCel } from './index.ts'

const self = toCel({
  name: 'web',
  replicas: 3,
  ratio: 0.5,
  labels: { app: 'a', 'k8s.io/x': 'y' },
  list: ['a', 'b', 'c'],
  items: [
    { name: 'one', size: 1 },
    { name: 'two', size: 2 },
  ],
  'odd-name': 1,
  namespace: 'default',
  empty: {},
  nothing: null,
})

const evaluate = (expression: string) => fromCel(compile(expression, { variables: ['self'] }).evaluate({ self }))

/** What each is; a text after `!` is the error that it gives. */
const cases: Record<string, [string, unknown][]> = {
  arithmetic: [
    ['1 + 2 * 3', 7],
    ['-7 / 2', -3],
    ['-7 % 2', -1],
    ['7.0 / 2.0', 3.5],
    ['2 == 2.0', true],
    ['1u + 2u == 3u', true],
    ['1 + 1.0', '!no such overload'],
    ['1 / 0', '!division by zero'],
    ['9223372036854775807 + 1', '!integer overflow'],
    ['0x10 + 1', 17],
    ['self.replicas - 1', 2],
    ['-self.replicas', -3],
  ],
  logic: [
    ['true || self.missing', true],
    ['self.missing || true', true],
    ['self.missing && false', false],
    ['self.missing == 1', '!no such key: missing'],
    ['self.replicas > 2 ? "many" : "few"', 'many'],
    ['!(1 > 2)', true],
    ['"a" < "b" && "b" >= "b"', true],
    ['1 in [1, 2] && !("z" in self.labels) && "app" in self.labels', true],
  ],
  fields: [
    ['self.labels["k8s.io/x"]', 'y'],
    ['has(self.name) && !has(self.missing) && has(self.labels.app)', true],
    ['self.list[1]', 'b'],
    ['self.list[7]', '!index out of bounds: 7'],
    ['self.nothing == null', true],
    ['self.?missing.orValue("none")', 'none'],
    ['self.?labels.?app.orValue("none")', 'a'],
    ['self.list[?9].hasValue()', false],
    ['self.?name.optMap(n, n + "!").value()', 'web!'],
    ['[?self.?missing, 1]', [1]],
    ['{?"a": self.?missing, "b": 2}', { b: 2 }],
    ['optional.none().value()', '!optional.none() dereference'],
    ['Object{spec: Object.spec{replicas: 1}}', { spec: { replicas: 1 } }],
  ],
  macros: [
    ['self.list.all(x, x != "z")', true],
    ['self.list.exists(x, x == "b")', true],
    ['self.list.exists_one(x, x > "a")', false],
    ['self.items.map(i, i.name)', ['one', 'two']],
    ['self.items.map(i, i.size > 1, i.name)', ['two']],
    ['self.items.filter(i, i.size < 2)', [{ name: 'one', size: 1 }]],
    ['self.labels.all(k, k.size() > 2)', true],
    ['[1, 2, 3].all(i, v, v == i + 1)', true],
    ['{"a": 1}.transformMap(k, v, v + 1)', { a: 2 }],
    ['["x", "y"].transformList(i, v, v + string(i))', ['x0', 'y1']],
    ['self.list.map(x, self.list.map(x, x + x))[0][1]', 'bb'],
    ['cel.bind(x, 2, x * x)', 4],
    ['[{"n": 2}, {"n": 1}].sortBy(e, e.n)[0].n', 1],
    ['[1, 0].exists(x, 1 / x == 1)', true],
  ],
  strings: [
    ['self.name.startsWith("we") && self.name.endsWith("b") && self.name.contains("e")', true],
    ['"abc-123".matches("^[a-z]+-[0-9]+$")', true],
    ['"a1b22".findAll("[0-9]+")', ['1', '22']],
    ['"a1b22".find("[0-9]+")', '1'],
    ['"a,b,c".split(",")', ['a', 'b', 'c']],
    ['"a,b,c".split(",", 2)', ['a', 'b,c']],
    ['["a", "b"].join("-")', 'a-b'],
    ['"tacocat".substring(4) + "Taco".lowerAscii() + " x ".trim()', 'cattacox'],
    ['"hello".indexOf("l") + "hello".lastIndexOf("l")', 5],
    ['"aaa".replace("a", "b", 2)', 'bba'],
    ['"%s is %d and %.2f".format(["x", 1, 0.5])', 'x is 1 and 0.50'],
    ['size("ünïcödé")', 7],
    ['r"\\d" + \'\\n\' + "\\u00e4" + """a"b"""', '\\d\nä' + 'a"b'],
    ['string(1) + string(1.5) + string(true)', '11.5true'],
    ['int("12") + int(3.9)', 15],
    ['int("x")', "!type conversion error from 'string' to 'int'"],
    ['type(1) == int && type("") == string && type(self) == map', true],
    ['b"abc" == bytes("abc")', true],
  ],
  lists: [
    ['[3, 1, 2].max() + [3, 1, 2].min() + [1, 2].sum()', 7],
    ['[1, 2, 2].isSorted()', true],
    ['["a", "b"].indexOf("b")', 1],
    ['sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 1], [1]) && sets.intersects([1], [1, 2])', true],
    ['[1] + [2]', [1, 2]],
    ['{"a": 1} == {"a": 1.0}', true],
  ],
  times: [
    ['duration("1h30m").getMinutes()', 90],
    ['timestamp("2026-01-02T03:04:05Z").getFullYear()', 2026],
    ['timestamp("2026-01-02T03:04:05Z") + duration("1s") == timestamp("2026-01-02T03:04:06Z")', true],
    ['string(duration("90s"))', '90s'],
    ['timestamp("2026-01-01T00:00:00Z").getHours("+02:00")', 2],
  ],
  kubernetes: [
    ['quantity("1Gi").isGreaterThan(quantity("1G")) && isQuantity("5m") && !isQuantity("x")', true],
    ['quantity("500m").add(quantity("500m")).asInteger()', 1],
    ['ip("10.0.0.1").family() == 4 && isIP("::1") && !isIP("x") && ip("127.0.0.1").isLoopback()', true],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3") && cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', true],
    ['cidr("10.0.0.0/8").prefixLength()', 8],
    ['url("https://u.example.com:80/p?q=1").getHost()', 'u.example.com:80'],
    ['url("https://example.com/p?q=1").getQuery()', { q: ['1'] }],
    ['isURL("x y")', false],
    ['format.dns1123Label().validate("Bad").hasValue()', true],
    ['!format.named("dns1123Label").value().validate("good").hasValue()', true],
    ['semver("1.2.3").isLessThan(semver("1.10.0")) && isSemver("v1", true)', true],
    ['jsonpatch.escapeKey("a/b~c")', 'a~1b~0c'],
  ],
}

describe('CEL', () => {
  before(loadCel)

  for (const [group, expressions] of Object.entries(cases))
    describe(group, () => {
      for (const [expression, expected] of expressions)
        it(expression, () => {
          if (typeof expected !== 'string' || !expected.startsWith('!'))
            return assert.deepEqual(evaluate(expression), expected)
          assert.throws(
            () => evaluate(expression),
            error => error instanceof CelError && error.message === expected.slice(1),
          )
        })
    })

  const faults: [string, RegExp][] = [
    ['self.', /^ERROR: <input>:1:6: Syntax error: no viable alternative at input '\.'/],
    ['1 +', /Syntax error/],
    ['other.x', /^ERROR: <input>:1:1: undeclared reference to 'other' \(in container ''\)\n \| other\.x\n \| \^$/],
    ['self.nothing()', /undeclared reference to 'nothing'/],
    ['"abc', /Syntax error: token recognition error/],
    ['99999999999999999999', /invalid int literal/],
    ['('.repeat(300), /recursion limit/],
  ]
  for (const [expression, message] of faults)
    it(`refuses ${expression.slice(0, 30)}`, () => {
      assert.throws(
        () => compile(expression, { variables: ['self'] }),
        error => error instanceof CompileError && message.test(error.message),
      )
    })

  it('stops what costs too much', () => {
    const program = compile('self.all(x, self.all(y, self.all(z, x + y + z >= 0)))', { variables: ['self'] })
    const many = toCel(Array.from({ length: 200 }, (_, index) => index))
    assert.throws(() => program.evaluate({ self: many }, createBudget(100_000)), /cost limit exceeded/)
  })

  it('takes anything for an expression, or says what is wrong with it', () => {
    const random = seededRandom(42)
    const pick = <T>(from: readonly T[]) => from[Math.floor(random.next() * from.length)]!
    const words = [
      ...'self.list.map(x, x + "a") == [1, 2.5, 3u] && !has(self.a) || b"x" in {"k": -1} ? null : true'.split(/\b/),
      ...[
        '.?',
        '[?',
        '`',
        "'",
        '"""',
        '\\',
        '0x',
        '1e9',
        '%',
        '(',
        ')',
        '{',
        '}',
        'Object',
        'cel.bind(',
        'optMap(',
        'ü',
      ],
    ]
    for (let round = 0; round < 3000; round++) {
      const expression = Array.from({ length: 1 + Math.floor(random.next() * 12) }, () => pick(words)).join('')
      try {
        compile(expression, { variables: ['self'] }).evaluate({ self }, createBudget(10_000))
      } catch (error) {
        assert.ok(error instanceof CompileError || error instanceof CelError, `${expression}: ${error}`)
      }
    }
  })

  it('has no stack to exhaust', () => {
    for (const expression of [`self${'.a'.repeat(50_000)}`, `1${'+1'.repeat(50_000)}`, `${'!'.repeat(50_000)}true`])
      assert.throws(
        () => compile(expression, { variables: ['self'] }).evaluate({ self }, createBudget(1e9)),
        error => error instanceof CompileError || error instanceof CelError,
      )
  })

  it('goes by the schema', () => {
    const schema = {
      type: 'object',
      properties: { ratio: { type: 'number' }, at: { type: 'string', format: 'date-time' } },
    }
    const typed = toCel({ ratio: 1, at: '2026-01-02T03:04:05Z' }, schema)
    const run = (text: string) => fromCel(compile(text, { variables: ['self'] }).evaluate({ self: typed }))
    assert.equal(run('self.ratio + 0.5'), 1.5)
    assert.equal(run('self.at.getMonth()'), 0)
    const set = { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } }
    const unordered = compile('self == ["b", "a"]', { variables: ['self'] })
    assert.equal(unordered.evaluate({ self: toCel(['a', 'b'], set) }), true)
  })
})
