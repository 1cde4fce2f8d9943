import {
  type autoscaling,
  type autoscalingV1,
  type core,
  type events,
  type KubeObject,
  type Resource,
  resources,
} from '../../api/index.ts'

/**
 * Between a version that clients speak and the one that is stored, for the few resources that are served in two.
 * Both functions make a new object and may share parts with the old one.
 */
export interface Conversion {
  stored: Resource
  toStored(object: KubeObject): KubeObject
  fromStored(object: KubeObject): KubeObject
}

const conversion = <Shown extends KubeObject, Stored extends KubeObject>(
  stored: Resource<Stored>,
  toStored: (object: Shown) => Stored,
  fromStored: (object: Stored) => Shown,
): Conversion => ({ stored, toStored, fromStored }) as unknown as Conversion

/** Source: k8s.io/kubernetes/pkg/apis/events/v1/conversion.go */
const events1 = conversion<events.Event, core.Event>(
  resources.events,
  ({
    metadata,
    regarding,
    note,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    reportingController,
    ...same
  }) =>
    ({
      ...same,
      kind: 'Event',
      apiVersion: 'v1',
      metadata,
      involvedObject: regarding ?? {},
      message: note,
      source: deprecatedSource ?? {},
      firstTimestamp: deprecatedFirstTimestamp ?? null,
      lastTimestamp: deprecatedLastTimestamp ?? null,
      count: deprecatedCount,
      reportingComponent: reportingController ?? '',
    }) as core.Event,
  ({ metadata, involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...same }) =>
    ({
      ...same,
      kind: 'Event',
      apiVersion: 'events.k8s.io/v1',
      metadata,
      regarding: involvedObject,
      note: message,
      deprecatedSource: source,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
      reportingController: reportingComponent,
    }) as events.Event,
)

type Hpa1 = autoscalingV1.HorizontalPodAutoscaler
type Hpa2 = autoscaling.HorizontalPodAutoscaler

/** What v1 has no field for travels in annotations of it, so that nothing is lost on the way there and back. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics'

const isCpu = ({ type, resource }: autoscaling.MetricSpec | autoscaling.MetricStatus) =>
  type === 'Resource' && resource?.name === 'cpu'

function read<T>(annotations: Record<string, string>, name: string): T | undefined {
  try {
    return annotations[name] === undefined ? undefined : JSON.parse(annotations[name])
  } catch {
    return undefined
  } finally {
    delete annotations[name]
  }
}

const withAnnotations = (object: KubeObject, annotations: Record<string, string>) => ({
  ...object.metadata,
  annotations: Object.keys(annotations).length ? annotations : undefined,
})

/** Source: k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go */
const autoscaling1 = conversion<Hpa1, Hpa2>(
  resources.horizontalPodAutoscalers,
  hpa => {
    const annotations = { ...hpa.metadata.annotations }
    const { targetCPUUtilizationPercentage: cpu, ...spec } = hpa.spec
    const { currentCPUUtilizationPercentage: current, ...status } = hpa.status
    const cpuMetric = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } },
    }
    const cpuNow = { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } }
    const metrics = [...(cpu === undefined ? [] : [cpuMetric]), ...(read<object[]>(annotations, METRICS) ?? [])]
    const measured = [
      ...(current === undefined ? [] : [cpuNow]),
      ...(read<object[]>(annotations, CURRENT_METRICS) ?? []),
    ]
    const conditions = read<object[]>(annotations, CONDITIONS)
    return {
      ...hpa,
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v2',
      spec: { ...spec, metrics, behavior: read(annotations, BEHAVIOR) },
      status: {
        ...status,
        currentMetrics: measured.length ? measured : null,
        conditions,
      },
      metadata: withAnnotations(hpa, annotations),
    } as Hpa2
  },
  hpa => {
    const annotations = { ...hpa.metadata.annotations }
    const { metrics = [], behavior, ...spec } = hpa.spec
    const { currentMetrics: measured, conditions, ...status } = hpa.status
    const currentMetrics = measured ?? []
    const note = (name: string, value: unknown) => {
      if (Array.isArray(value) ? value.length : value) annotations[name] = JSON.stringify(value)
    }
    note(
      METRICS,
      metrics.filter(metric => !isCpu(metric)),
    )
    note(BEHAVIOR, behavior)
    note(CONDITIONS, conditions)
    note(
      CURRENT_METRICS,
      currentMetrics.filter(metric => !isCpu(metric)),
    )
    return {
      ...hpa,
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v1',
      spec: { ...spec, targetCPUUtilizationPercentage: metrics.find(isCpu)?.resource?.target.averageUtilization },
      status: {
        ...status,
        currentCPUUtilizationPercentage: currentMetrics.find(isCpu)?.resource?.current.averageUtilization,
      },
      metadata: withAnnotations(hpa, annotations),
    } as Hpa1
  },
)

const conversions: Record<string, Conversion> = {
  'events.k8s.io/v1/events': events1,
  'autoscaling/v1/horizontalpodautoscalers': autoscaling1,
}

/** Undefined for a version that is stored as it is. */
export const conversionOf = ({ group, version, resource }: Resource): Conversion | undefined =>
  conversions[`${group}/${version}/${resource}`]
