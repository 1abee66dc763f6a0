/** `1 file`, `3 files`, `12,000 files` */
export const plural = (n: number, one: string, many: string) =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`
