import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApiServer } from '../apiserver/index.ts'
import { type core, resources } from '../api/index.ts'
import { silentLogger, systemClock, systemRandom } from '../base/index.ts'
import { eventually } from '../../test/support/controllers.ts'
import { startTestApiServer } from '../../test/support/apiserver.ts'
import { connect } from './connect.ts'
import { Informers } from './informer.ts'

const parts = { clock: systemClock, random: systemRandom, log: silentLogger }

const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  metadata: { namespace: 'default', name, labels },
  data,
})
