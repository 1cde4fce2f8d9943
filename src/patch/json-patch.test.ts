import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyJsonPatch, PatchError } from './index.ts'

type Case = [title: string, document: unknown, patch: unknown[], expected: unknown]

/** The examples of RFC 6902, appendix A, and what upstream's library does beyond it. */
const applies: Case[] = [
  ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  [
    'adds an element',
    { foo: ['bar', 'baz'] },
    [{ op: 'add', path: '/foo/1', value: 'qux' }],
    { foo: ['bar', 'qux', 'baz'] },
  ],
  ['adds at the end', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
  ['adds at the length', { foo: ['bar'] }, [{ op: 'add', path: '/foo/1', value: 'x' }], { foo: ['bar', 'x'] }],
  ['adds over what is there', { foo: 1 }, [{ op: 'add', path: '/foo', value: 2 }], { foo: 2 }],
  ['adds null for a missing value', {}, [{ op: 'add', path: '/foo' }], { foo: null }],
  ['removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  ['removes an element', { foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
  ['replaces a value', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
  ['replaces an element', { foo: [1, 2] }, [{ op: 'replace', path: '/foo/0', value: 3 }], { foo: [3, 2] }],
  ['replaces everything', { foo: 1 }, [{ op: 'replace', path: '', value: { bar: 2 } }], { bar: 2 }],
  [
    'moves a value',
    { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  ],
  [
    'moves an element',
    { foo: ['a', 'b', 'c', 'd'] },
    [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    { foo: ['a', 'c', 'd', 'b'] },
  ],
  [
    'copies a value',
    { a: { b: 1 } },
    [
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'replace', path: '/c/b', value: 2 },
    ],
    { a: { b: 1 }, c: { b: 2 } },
  ],
  [
    'tests values',
    { baz: 'qux', foo: ['a', 2] },
    [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    { baz: 'qux', foo: ['a', 2] },
  ],
  [
    'tests objects in any order',
    { a: { x: 1, y: [{}] } },
    [{ op: 'test', path: '/a', value: { y: [{}], x: 1 } }],
    { a: { x: 1, y: [{}] } },
  ],
  ['tests for absence with null', { a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
  [
    'unescapes',
    { '/': 9, '~1': 10 },
    [
      { op: 'test', path: '/~01', value: 10 },
      { op: 'remove', path: '/~1' },
    ],
    { '~1': 10 },
  ],
  [
    'counts from the end',
    { foo: [1, 2, 3] },
    [
      { op: 'remove', path: '/foo/-1' },
      { op: 'replace', path: '/foo/-1', value: 9 },
    ],
    { foo: [1, 9] },
  ],
  [
    'a member may be called __proto__',
    {},
    [{ op: 'add', path: '/__proto__', value: { x: 1 } }],
    JSON.parse('{"__proto__":{"x":1}}'),
  ],
  ['does nothing', { a: 1 }, [], { a: 1 }],
]

const fails: [title: string, document: unknown, patch: unknown, code: number, message?: string][] = [
  [
    'a test that fails',
    { a: 1 },
    [{ op: 'test', path: '/a', value: 2 }],
    422,
    'the server rejected our request due to an error in our request',
  ],
  ['a test of what is missing', {}, [{ op: 'test', path: '/a', value: 2 }], 422],
  ['an add into what is missing', { foo: 'bar' }, [{ op: 'add', path: '/baz/bat', value: 'qux' }], 422],
  ['an add into a string', { foo: 'bar' }, [{ op: 'add', path: '/foo/bat', value: 'qux' }], 422],
  ['an add past the end', { foo: [1] }, [{ op: 'add', path: '/foo/2', value: 'qux' }], 422],
  ['an add at no index', { foo: [1] }, [{ op: 'add', path: '/foo/x', value: 'qux' }], 422],
  ['a remove of what is missing', {}, [{ op: 'remove', path: '/a' }], 422],
  ['a remove past the end', { foo: [1] }, [{ op: 'remove', path: '/foo/1' }], 422],
  ['a replace of what is missing', {}, [{ op: 'replace', path: '/a', value: 1 }], 422],
  ['a replace of everything by a number', {}, [{ op: 'replace', path: '', value: 1 }], 422],
  ['a move of what is missing', {}, [{ op: 'move', from: '/a', path: '/b' }], 422],
  ['a path that does not begin with a slash', { a: 1 }, [{ op: 'add', path: 'a', value: 1 }], 422],
  ['an inherited member', {}, [{ op: 'remove', path: '/toString' }], 422],
  ['an unknown operation', {}, [{ op: 'spam', path: '/a' }], 422],
  ['no operation', {}, [{ path: '/a' }], 422],
  [
    'copies that grow without bound',
    { a: 'x'.repeat(2 ** 20) },
    Array.from({ length: 4 }, (_, index) => ({ op: 'copy', from: '/a', path: `/b${index}` })),
    422,
  ],
  ['an object', {}, { op: 'add' }, 400, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
  [
    'operations that are no objects',
    {},
    ['add'],
    400,
    'json: cannot unmarshal string into Go value of type jsonpatch.Operation',
  ],
  [
    'too many operations',
    {},
    Array(10_001).fill({ op: 'add', path: '/a', value: 1 }),
    413,
    'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  ],
]

describe('applyJsonPatch', () => {
  for (const [title, document, patch, expected] of applies)
    it(title, () => {
      const [documentBefore, patchBefore] = [structuredClone(document), structuredClone(patch)]
      assert.deepEqual(applyJsonPatch(document, patch), expected)
      assert.deepEqual([document, patch], [documentBefore, patchBefore])
    })

  for (const [title, document, patch, code, message] of fails)
    it(`refuses ${title}`, () => {
      const before = structuredClone(document)
      assert.throws(
        () => applyJsonPatch(document, patch),
        error => error instanceof PatchError && error.code === code && (!message || error.message === message),
      )
      assert.deepEqual(document, before)
    })

  it('takes 10,000 operations', () => {
    const patch = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/list/-', value: 1 }))
    assert.equal((applyJsonPatch({ list: [] }, patch) as { list: unknown[] }).list.length, 10_000)
  })
})
