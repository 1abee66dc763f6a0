/** A drawn QR code, as an address that an `<img>` takes. */
export function picture(svg: string): string {
  const whole = svg.includes('xmlns=') ? svg : svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
  return 'data:image/svg+xml,' + encodeURIComponent(whole)
}
