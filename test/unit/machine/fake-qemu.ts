// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every property that phyr's machines set, on every device: a fake has them all. */
const properties =
  'addr aw-bits caching-mode chassis cmb_size_mb drive intremap iobase iosize memdev rerror serial slot werror'

/**
 * Writes a program that answers phyr's questions as QEMU does and otherwise acts as told.
 *
 * @param act a shell script; `$console` and `$results` are the files that the arguments name.
 * @param change replaces an answer: the version line, or the script that answers `-device NAME,help`.
 */
export function fakeQemu(dir: string, act: string, change: { version?: string; help?: string } = {}): string {
  const file = join(dir, 'qemu-fake')
  const help =
    change.help ??
    `echo "$name options:"; for p in ${properties}; do echo "  $p=<int32>    - (default: 0)"; done`
  writeFileSync(
    file,
    `#!/bin/sh
case "$*" in
  --version) echo '${change.version ?? 'QEMU emulator version 7.2.22 (fake)'}'; exit 0 ;;
  '-L help') echo /nowhere; exit 0 ;;
  *,help) for a; do last=$a; done; name=\${last%,help}; ${help}; exit 0 ;;
esac
for a; do
  case "$a" in
    file,id=console,path=*) console=\${a#file,id=console,path=} ;;
    file,id=results,path=*) results=\${a#file,id=results,path=} ;;
  esac
done
${act}
`,
  )
  chmodSync(file, 0o755)
  return file
}

/** Writes the smallest bzImage that its own headers agree with, and returns its path. */
export function fakeImage(dir: string): string {
  const image = Buffer.alloc(1024)
  image[0x1f1] = 1
  image.write('HdrS', 0x202, 'latin1')
  const file = join(dir, 'bzImage')
  writeFileSync(file, image)
  return file
}
