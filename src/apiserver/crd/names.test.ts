import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Definition } from './conversion.ts'
import { acceptNames } from './names.ts'

const definition = (names: Partial<Definition['spec']['names']>, status: Partial<Definition['status']> = {}) =>
  ({
    metadata: { name: `${names.plural}.example.com` },
    spec: { group: 'example.com', names: { singular: `${names.plural}-one`, listKind: `${names.kind}List`, ...names } },
    status,
  }) as unknown as Definition

/** One that has got all the names it asked for. */
const settled = (names: Partial<Definition['spec']['names']>) => {
  const made = definition(names)
  return { ...made, status: { acceptedNames: made.spec.names } } as Definition
}

const brief = ({ conditions }: ReturnType<typeof acceptNames>) =>
  conditions.map(({ type, status, reason, message }) => `${type} ${status} ${reason} ${message}`)

describe('acceptNames', () => {
  it('gives a definition its names when nobody has them', () => {
    const accepted = acceptNames(definition({ plural: 'foos', kind: 'Foo', shortNames: ['f'] }), [])
    assert.deepEqual(accepted.names.shortNames, ['f'])
    assert.deepEqual(brief(accepted), [
      'NamesAccepted True NoConflicts no conflicts found',
      'Established True InitialNamesAccepted the initial names have been accepted',
    ])
  })

  it('refuses what another one of the group has, and gives the rest', () => {
    const other = settled({ plural: 'bars', kind: 'Bar', shortNames: ['b'] })
    const accepted = acceptNames(definition({ plural: 'foos', kind: 'Bar', listKind: 'FooList' }), [other])
    assert.deepEqual([accepted.names.plural, accepted.names.kind], ['foos', undefined])
    assert.deepEqual(brief(accepted), [
      'NamesAccepted False KindConflict "Bar" is already in use',
      'Established False NotAccepted not all names are accepted',
    ])
    const elsewhere = { ...other, spec: { ...other.spec, group: 'other.com' } }
    assert.equal(acceptNames(definition({ plural: 'foos', kind: 'Bar' }), [elsewhere]).names.kind, 'Bar')
  })

  it('leaves established what once was', () => {
    const status = { conditions: [{ type: 'Established', status: 'True' }] } as Definition['status']
    const changed = definition({ plural: 'foos', kind: 'Foo', shortNames: ['b'] }, status)
    const accepted = acceptNames(changed, [settled({ plural: 'bars', kind: 'Bar', shortNames: ['b'] })])
    assert.deepEqual(brief(accepted), ['NamesAccepted False ShortNamesConflict "b" is already in use'])
  })
})
