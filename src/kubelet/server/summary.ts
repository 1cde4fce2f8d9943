import { formatTime } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import { type ContainerStats, labels, type Runtime } from '../runtime/runtime.ts'

/** The part of the Summary API that the runtime knows. Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1 */
export async function statsSummary(runtime: Runtime, nodeName: string, clock: Clock): Promise<object> {
  const pods = new Map<string, ContainerStats[]>()
  for (const stats of await runtime.containerStats()) {
    const uid = stats.labels[labels.podUid]
    if (uid) pods.set(uid, [...(pods.get(uid) ?? []), stats])
  }
  const all = [...pods.values()].flat()
  const time = formatTime(clock.now())
  return {
    node: { nodeName, startTime: time, ...usage(all, time) },
    pods: Array.from(pods, ([uid, containers]) => ({
      podRef: {
        name: containers[0]?.labels[labels.podName],
        namespace: containers[0]?.labels[labels.podNamespace],
        uid,
      },
      startTime: time,
      containers: containers.map(stats => ({
        name: stats.labels[labels.containerName],
        startTime: time,
        ...usage([stats], formatTime(stats.timestamp)),
        rootfs: { time, usedBytes: stats.writableLayerBytes },
      })),
      ...usage(containers, time),
    })),
  }
}

function usage(stats: ContainerStats[], time: string) {
  const sum = (of: (stats: ContainerStats) => number) => stats.reduce((total, one) => total + of(one), 0)
  return {
    cpu: {
      time,
      usageNanoCores: sum(({ cpuNanoCores }) => cpuNanoCores),
      usageCoreNanoSeconds: sum(({ cpuNanoSeconds }) => cpuNanoSeconds),
    },
    memory: {
      time,
      usageBytes: sum(({ usageBytes }) => usageBytes),
      workingSetBytes: sum(({ workingSetBytes }) => workingSetBytes),
      rssBytes: sum(({ rssBytes }) => rssBytes),
    },
  }
}
