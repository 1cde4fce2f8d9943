import { type Node, parse } from './parser.ts'

/** Whether an expression has anything to do with a variable. */
export function mentions(expression: string, variable: string): boolean {
  const found = (node: Node): boolean => (node.is === 'name' && node.name === variable) || childrenOf(node).some(found)
  return found(parse(expression))
}

/** The nodes right below a node. */
function childrenOf(node: Node): Node[] {
  switch (node.is) {
    case 'select':
      return [node.of]
    case 'index':
      return [node.of, node.key]
    case 'call':
      return [...(node.target ? [node.target] : []), ...node.args]
    case 'list':
      return node.items.map(({ value }) => value)
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value])
    case 'message':
      return node.fields.map(({ value }) => value)
    default:
      return []
  }
}
