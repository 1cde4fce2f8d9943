import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as names from './names.ts'

const right = (rule: (value: string) => string[], ...values: string[]) => {
  for (const value of values) assert.deepEqual(rule(value), [], value)
}
const wrong = (rule: (value: string) => string[], ...values: string[]) => {
  for (const value of values) assert.notDeepEqual(rule(value), [], value)
}

test('names of objects', () => {
  right(names.dns1123SubdomainProblems, 'a', '1', 'a-b.c1', 'a'.repeat(63))
  wrong(names.dns1123SubdomainProblems, '', 'A', 'a_', '-a', 'a-', 'a..b', '.a', 'a\n', 'é')
  assert.deepEqual(names.dns1123SubdomainProblems('A'), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ])
  assert.deepEqual(names.dns1123SubdomainProblems('a'.repeat(254)), ['must be no more than 253 characters'])
  right(names.dns1123LabelProblems, 'a', '0-9')
  assert.deepEqual(names.dns1123LabelProblems('a.b'), ['must not contain dots'])
  assert.deepEqual(names.dns1123LabelProblems('a_b'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ])
  right(names.dns1035LabelProblems, 'a', 'a-1')
  wrong(names.dns1035LabelProblems, '1a', 'a.b', '')
})

test('keys and values of labels', () => {
  right(names.labelKeyProblems, 'a', 'A_b.c', 'example.com/name', '1-2')
  wrong(names.labelKeyProblems, '', '/a', 'a/', 'A/b', 'a b', '-a')
  assert.deepEqual(names.labelKeyProblems('/a'), ['prefix part must be non-empty'])
  assert.equal(names.labelKeyProblems('').length, 2)
  assert.match(
    names.labelKeyProblems('a/b/c')[0]!,
    /^a valid label key must consist .*\(e\.g\. 'example\.com\/MyName'\)$/,
  )
  assert.deepEqual(names.labelKeyProblems('a'.repeat(64)), ['name part must be no more than 63 bytes'])
  right(names.labelValueProblems, '', 'A_b.c-1')
  wrong(names.labelValueProblems, '-a', 'a-', 'a b')
  assert.deepEqual(names.labelValueProblems('a'.repeat(64)), ['must be no more than 63 bytes'])
})

test('other names', () => {
  right(names.cIdentifierProblems, 'a', '_A1')
  wrong(names.cIdentifierProblems, '1a', 'a-b', '')
  right(names.configMapKeyProblems, 'a.b', '.a', 'A_b-1')
  wrong(names.configMapKeyProblems, '', 'a/b', '.', '..', '..a')
  right(names.envVarNameProblems, 'A', 'a b', '1', '~')
  wrong(names.envVarNameProblems, '', 'a=b', 'é', 'a\tb')
  right(names.portNameProblems, 'http', 'a-1')
  wrong(names.portNameProblems, '', '80', 'a--b', '-a', 'HTTP', 'a'.repeat(16))
  right(names.pathSegmentProblems, 'a:b', 'system:node')
  assert.deepEqual(names.pathSegmentProblems('a/b%'), ["may not contain '/'", "may not contain '%'"])
  assert.deepEqual(names.pathSegmentProblems('..'), ["may not be '..'"])
  right(names.ipProblems, '10.0.0.1', '::1')
  wrong(names.ipProblems, '10.0.0', '010.0.0.1', 'fe80::1%eth0', '')
  assert.deepEqual(names.portNumberProblems(0), ['must be between 1 and 65535, inclusive'])
})
