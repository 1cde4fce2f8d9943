import { version } from '../../apiserver/index.ts'

/** `Kubernetes v1.36.3`; or the `whole` of it, as Go prints a struct. Source: k8s.io/component-base/version/verflag */
export function versionText(whole: boolean): string {
  if (!whole) return `Kubernetes ${version.gitVersion}`
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform } = version
  const fields = {
    Major: major,
    Minor: minor,
    EmulationMajor: '',
    EmulationMinor: '',
    MinCompatibilityMajor: '',
    MinCompatibilityMinor: '',
    GitVersion: gitVersion,
    GitCommit: gitCommit,
    GitTreeState: gitTreeState,
    BuildDate: buildDate,
    GoVersion: goVersion,
    Compiler: compiler,
    Platform: platform,
  }
  const shown = Object.entries(fields).map(([name, value]) => `${name}:${JSON.stringify(value)}`)
  return `version.Info{${shown.join(', ')}}`
}
