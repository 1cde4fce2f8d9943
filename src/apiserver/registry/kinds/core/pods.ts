import { type core, isPodTerminal } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { validatePod } from '../../validation/pod.ts'
import { validatePodTemplate } from '../../validation/pod-template.ts'
import { mergeLabelKeys } from './label-keys.ts'
import { defaultPod, defaultPodTemplate, mirrorServiceAccount } from './pod-defaults.ts'
import { validatePodPart } from './pod-subresources.ts'
import { validatePodStatusUpdate, validatePodUpdate } from './pod-update.ts'
import { podSpecWarnings } from './pod-warnings.ts'
import { qosClass } from './qos.ts'

/** Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go */
export const podStrategy: Strategy<core.Pod> = {
  defaults(pod) {
    defaultPod(pod)
    settleAddresses(pod.status)
  },

  prepareCreate(pod, { now }) {
    mirrorServiceAccount(pod.spec)
    mergeLabelKeys(pod)
    // A negative period was once let through, and has meant the shortest ever since.
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1
    pod.status = { phase: 'Pending', qosClass: qosClass(pod.spec) }
    if (pod.spec.schedulingGates?.length) pod.status.conditions = [gated(now)]
  },

  prepareUpdate(pod, old) {
    // The class is decided once: it may be left out, but not be another.
    if (old.status.qosClass) pod.status.qosClass ||= old.status.qosClass
  },

  validate: validatePod,
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatusUpdate,
  validatePart: validatePodPart,
  warnings: ({ spec }) => podSpecWarnings(spec, 'spec'),

  fields: ({ spec, status }) => ({
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status.phase ?? '',
    'status.podIP': status.podIPs?.[0]?.ip ?? status.podIP ?? '',
    'status.nominatedNodeName': status.nominatedNodeName ?? '',
  }),

  gracePeriod(pod, requested) {
    // Nothing runs, so there is nothing to wait for.
    if (!pod.spec.nodeName || isPodTerminal(pod)) return 0
    const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0
    return period < 0 ? 1 : period
  },
}

/** The one address and the first of all are the same. Source: k8s.io/kubernetes/pkg/apis/core/v1/conversion.go */
function settleAddresses(status: core.PodStatus): void {
  if (status.podIP && status.podIP !== status.podIPs?.[0]?.ip) status.podIPs = [{ ip: status.podIP }]
  else if (!status.podIP && status.podIPs?.length) status.podIP = status.podIPs[0]!.ip
}

const gated = (now: string): core.PodCondition => ({
  type: 'PodScheduled',
  status: 'False',
  lastTransitionTime: now,
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
})

/** A template that stands by itself. */
export const podTemplateStrategy: Strategy<core.PodTemplate> = {
  defaults: ({ template }) => defaultPodTemplate(template),
  validate: ({ template }) => validatePodTemplate(template, 'template'),
  generation: true,
}
