/** What a benchmark gives: figures, each beside the bare limit and the target where it has them. */

export interface Figure {
  /** `pod start`: what the table and docs/benchmarks.md call it. */
  name: string
  value: number
  unit: 'ms' | 'µs' | '/s' | 'MB' | '% of a core'
  /** The same work without Kubernetes, taken in the same run, in the same unit. */
  bare?: { what: string; value: number; ratio: number }
  target?: Target
}

export interface Target {
  of: 'value' | 'ratio'
  most?: number
  least?: number
}

/** Of an even number the upper one. Every figure here is the median of several runs. */
export function median(values: number[]): number {
  const middle = values.toSorted((a, b) => a - b)[values.length >> 1]
  if (middle === undefined) throw new Error('the median of nothing')
  return middle
}

/**
 * A figure and its limit, measured in turn, so that whatever else the machine does befalls both: the ratio is the median
 * of the rounds' ratios.
 */
export function against(what: string, values: number[], limits: number[]): Pick<Figure, 'value' | 'bare'> {
  const ratio = median(values.map((value, round) => value / limits[round]!))
  return { value: median(values), bare: { what, value: median(limits), ratio } }
}

/** Undefined for a figure without a target. */
export function meets({ value, bare, target }: Figure): boolean | undefined {
  if (!target) return undefined
  const judged = target.of === 'ratio' ? bare?.ratio : value
  if (judged === undefined) throw new Error('a target for a ratio that was not measured')
  return judged <= (target.most ?? Infinity) && judged >= (target.least ?? -Infinity)
}

export function formatTable(figures: Figure[]): string {
  const rows = [['FIGURE', 'MEDIAN', 'BARE LIMIT', 'RATIO', 'TARGET', ''], ...figures.map(row)]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(cells => cells[column]!.length)))
  const line = (cells: string[]) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')
  return rows.map(cells => line(cells).trimEnd()).join('\n')
}

function row(figure: Figure): string[] {
  const { name, value, unit, bare, target } = figure
  const met = meets(figure)
  return [
    name,
    quantity(value, unit),
    bare ? `${quantity(bare.value, unit)} (${bare.what})` : '-',
    bare ? bare.ratio.toFixed(2) : '-',
    target ? formatTarget(target, unit) : '-',
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ]
}

function formatTarget({ of, most, least }: Target, unit: Figure['unit']): string {
  const shown = (limit: number) => (of === 'ratio' ? `${limit}x` : quantity(limit, unit))
  return most === undefined ? `>= ${shown(least ?? 0)}` : `<= ${shown(most)}`
}

function quantity(value: number, unit: Figure['unit']): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  const number = value.toLocaleString('en', { maximumFractionDigits: digits })
  return unit === '/s' ? `${number}/s` : `${number} ${unit}`
}
