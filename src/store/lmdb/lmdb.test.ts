import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, VirtualClock } from '../../base/index.ts'
import { storeConformance } from '../conformance.ts'
import { openLmdb } from './index.ts'

const prepare = async (cacheSize?: number) => {
  const path = await mkdtemp(join(tmpdir(), 'k8ts-store-'))
  const clock = new VirtualClock()
  return {
    open: () => openLmdb({ path, clock, log: silentLogger, cacheSize }),
    pass: (seconds: number) => clock.advance(seconds * 1000),
    dispose: () => rm(path, { recursive: true }),
  }
}

storeConformance('lmdb', () => prepare())
storeConformance('lmdb without a cache', () => prepare(0))
