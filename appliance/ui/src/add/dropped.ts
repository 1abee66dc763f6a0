/** Files out of a drop or a folder picker, each with the folder that it lay in. */

export interface Dropped {
  file: File
  below?: string
}

const MOST = 20_000

export function picked(list: FileList): Dropped[] {
  return [...list].map((file) => ({ file, below: file.webkitRelativePath.split('/').slice(0, -1).join('/') }))
}

export async function dropped(transfer: DataTransfer): Promise<Dropped[]> {
  // The entries must be taken before the first await: the transfer is empty afterwards.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry())
  const plain = [...transfer.files]
  const found: Dropped[] = []
  for (const entry of entries) if (entry) await walk(entry, '', found)
  return found.length ? found : plain.map((file) => ({ file }))
}

async function walk(entry: FileSystemEntry, below: string, found: Dropped[]): Promise<void> {
  if (found.length >= MOST || entry.name.startsWith('.')) return
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    found.push({ file, below })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // Gives at most 100 at a time (File and Directory Entries API, readEntries).
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return
    for (const inner of some) await walk(inner, [below, entry.name].filter(Boolean).join('/'), found)
  }
}
