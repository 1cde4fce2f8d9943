/**
 * What warnings look like on the wire. Source: RFC 7234 5.5, k8s.io/apiserver/pkg/endpoints/filters/warning.go,
 * k8s.io/apimachinery/pkg/util/net NewWarningHeader
 */

/** Characters that all warnings of one answer may have together; beyond that each is cut to `CUT`. */
const MOST = 4096
const CUT = 256

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what cannot be in a header
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** The values of the `Warning` headers: every text once; those that no header can carry are left out. */
export function warningHeaders(texts: string[]): string[] {
  const wanted = [...new Set(texts)].filter(text => text && !CONTROL.test(text)).map(text => [...text])
  if (sizeOf(wanted) <= MOST) return wanted.map(header)
  const fitting: string[][] = []
  for (const text of wanted) {
    if (sizeOf(fitting) >= MOST) break
    fitting.push(text.slice(0, CUT))
  }
  return fitting.map(header)
}

const sizeOf = (texts: string[][]): number => texts.reduce((sum, { length }) => sum + length, 0)

/** Node writes headers byte by character, and they are to be UTF-8. */
const header = (text: string[]): string =>
  `299 - "${Buffer.from(text.join('').replace(/[\\"]/g, '\\$&')).toString('latin1')}"`
