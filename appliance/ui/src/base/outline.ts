/** An icon's shapes as one path: a single element to draw, where a long list draws hundreds. Pure. */

/** As Lucide has them: [element, attributes]. */
export type Shape = [string, Record<string, string | number | undefined>]

/** SVG 2 §9 (path data) and §10 (basic shapes). Throws for a shape that no icon has had yet. */
export function outline(shapes: readonly Shape[]): string {
  return shapes.map(([element, attributes]) => path(element, attributes)).join('')
}

function path(element: string, attributes: Shape[1]): string {
  const number = (name: string) => Number(attributes[name] ?? 0)
  // A path that begins with a relative move would go on from the end of the shape before it.
  if (element === 'path') return String(attributes.d).replace(/^m/, 'M0 0m')
  if (element === 'line') return `M${number('x1')} ${number('y1')}L${number('x2')} ${number('y2')}`
  if (element === 'circle') return ellipse(number('cx'), number('cy'), number('r'), number('r'))
  if (element === 'ellipse') return ellipse(number('cx'), number('cy'), number('rx'), number('ry'))
  if (element === 'polyline') return `M${String(attributes.points)}`
  if (element === 'polygon') return `M${String(attributes.points)}z`
  if (element === 'rect') return rect(number('x'), number('y'), number('width'), number('height'), Number(attributes.rx ?? attributes.ry ?? 0))
  throw new Error(`no outline of <${element}>`)
}

const ellipse = (x: number, y: number, rx: number, ry: number) => `M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`

function rect(x: number, y: number, width: number, height: number, round: number): string {
  if (!round) return `M${x} ${y}h${width}v${height}h${-width}z`
  const [across, down] = [width - 2 * round, height - 2 * round]
  const corner = (dx: number, dy: number) => `a${round} ${round} 0 0 1 ${dx} ${dy}`
  return `M${x + round} ${y}h${across}${corner(round, round)}v${down}${corner(-round, round)}h${-across}${corner(-round, -round)}v${-down}${corner(round, -round)}z`
}
