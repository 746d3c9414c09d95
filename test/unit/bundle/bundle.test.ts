// SPDX-License-Identifier: GPL-2.0-only
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { packTar, unpackTar, type TarEntry } from 'modern-tar'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { collect } from '../../../tools/bundle/collect.ts'
import { MANIFEST, type Manifest } from '../../../tools/bundle/manifest.ts'
import { packBundle } from '../../../tools/bundle/pack.ts'
import { choose, rerun } from '../../../tools/bundle/rerun.ts'
import { verifyBundle } from '../../../tools/bundle/verify.ts'
import { UsageError } from '../../../tools/lib/errors.ts'
import { run, runOk } from '../../../tools/lib/exec.ts'
import { sha256 } from '../../../tools/lib/hash.ts'
import { findProject } from '../../../tools/lib/project.ts'
import type { Proof } from '../../../tools/result/proof-record.ts'
import { saveProof } from '../../../tools/result/proof-store.ts'
import type { Applied } from '../../../tools/series/series.ts'
import { applySeries } from '../../../tools/series/apply.ts'
import { scratch, writeFiles } from '../base/repo-fixture.ts'
import { patchProof } from '../result/proof-fixture.ts'
import { makeSeries } from '../series/series-fixture.ts'

let dir: string
let remove: () => void
let applied: Applied
beforeAll(async () => {
  ;({ dir, remove } = scratch())
  const { base, series } = await makeSeries(dir)
  applied = await applySeries(base, series)
  writeFiles(dir, { 'kernel-config/base.config': 'CONFIG_X=y\n', 'patches/cover.md': '# x\n\ntext\n' })
})
beforeEach(() => rmSync(join(dir, 'cache/proofs'), { recursive: true, force: true }))
afterAll(() => remove())

const hex = (c: string): string => c.repeat(64)

function proof(changes: Partial<Proof> = {}): Proof {
  const { series, base } = applied
  return {
    schema: 1,
    time: '2026-11-21T12:00:00.000Z',
    outcome: 'pass',
    base: { version: '7.3.4', provider: 'git', identity: 'x', tree: base.identity.tree, commit: base.commit },
    series: { name: 'phyr', changeId: series.changeId, version: 1, hash: series.hash, patches: 3 },
    config: 'lab',
    compiler: 'gcc 12',
    qemu: '7.2',
    accel: { used: 'tcg', reason: `probed on ${hostname()}` },
    suites: ['virtio kunit'],
    seconds: 1,
    patches: series.patches.map((patch) => ({
      ...patchProof(patch.number),
      file: patch.file,
      subject: patch.subject,
      tree: 'a'.repeat(40),
      newWarnings: [`${homedir()}/.cache/phyr/trees/x/mm/gup.c:3: warning: x`],
      allocatedHash: hex('b'),
      runs: [],
    })),
    ...changes,
  }
}

async function packed(name = 'b.tar.xz', mail?: string): Promise<string> {
  const file = join(dir, name)
  await packBundle(file, applied, collect(findProject(dir), applied, { mail }))
  return file
}

/** Unpacks, changes the entries, and packs again as a forger would: by hand. */
async function forged(
  file: string,
  forge: (entries: Map<string, string>) => TarEntry[] | void,
): Promise<string> {
  await runOk('xz', ['-dkf', file])
  const tar = file.replace(/\.xz$/, '')
  const entries = new Map(
    (await unpackTar(readFileSync(tar))).map(({ header, data }) => [
      header.name,
      Buffer.from(data ?? []).toString(),
    ]),
  )
  const more = forge(entries) ?? []
  const files = [...entries].map(([name, text]) => ({
    header: { name, size: Buffer.byteLength(text), type: 'file' as const },
    body: text,
  }))
  const out = join(dir, 'forged.tar')
  writeFileSync(out, await packTar([...files, ...more]))
  await runOk('xz', ['-f', out])
  return `${out}.xz`
}

/** Writes the manifest anew, as a forger would who knows of it. */
function remade(entries: Map<string, string>): void {
  const manifest = JSON.parse(entries.get(MANIFEST)!) as Manifest
  const files = [...entries]
    .filter(([path]) => path !== MANIFEST)
    .map(([path, text]) => ({ path, bytes: Buffer.byteLength(text), sha256: sha256(text) }))
  entries.set(MANIFEST, JSON.stringify({ ...manifest, files }))
}

test('what is packed verifies, twice the same bytes, and nothing is left over', async () => {
  saveProof(proof())
  const one = await packed('a.tar.xz')
  const two = await packed('b.tar.xz')
  expect(sha256(readFileSync(one))).toBe(sha256(readFileSync(two)))
  const verified = await verifyBundle(one)
  expect(verified).toMatchObject({ problems: [], gaps: [] })
  const names = verified.manifest!.files.map((f) => f.path)
  expect(names).toContain('patches/series.json')
  expect(names).toContain('kernel-config/base.config')
  expect(names).toContain('records/proof.json')
  expect(names).toContain('versions.json')
  expect(names).toEqual(names.toSorted())
  expect(readdirSync(dir).filter((n) => n.startsWith('.'))).toEqual([])
})

test('zstd as well', async () => {
  if ((await run('sh', ['-c', 'command -v zstd'])).code !== 0) return
  saveProof(proof())
  expect((await verifyBundle(await packed('b.tar.zst'))).problems).toEqual([])
})

test('no home directory and no host name in what the machine wrote; patches keep their bytes', async () => {
  saveProof(proof())
  const { contents } = await verifyBundle(await packed())
  const text = Buffer.from(contents.get('records/proof.json')!).toString()
  expect(text).not.toContain(homedir())
  expect(text).toContain('mm/gup.c:3: warning')
  if (hostname().length > 3) expect(text).not.toContain(hostname())
  for (const patch of applied.series.patches)
    expect(Buffer.from(contents.get(`patches/${patch.file}`)!).toString()).toBe(patch.text)
})

test('without a proof, or with one of other patches, the bundle says so', async () => {
  expect((await verifyBundle(await packed())).gaps).toEqual(['it holds no proof'])
  saveProof(proof({ series: { ...proof().series, hash: 'ffff' } }))
  expect((await verifyBundle(await packed())).gaps).toEqual(['it holds no proof'])
  saveProof(proof({ patches: proof().patches.slice(1) }))
  expect((await verifyBundle(await packed())).gaps.join()).toMatch(/1 of 3 patches are not proved: 1/)
})

test('a name that is no bundle, and a file that is not there', async () => {
  await expect(packed('b.zip')).rejects.toBeInstanceOf(UsageError)
  await expect(verifyBundle(join(dir, 'none.tar.xz'))).rejects.toBeInstanceOf(UsageError)
  expect(() => collect(findProject(dir), applied, { mail: dir })).toThrow(UsageError)
})

describe('a bundle that was tampered with', () => {
  beforeEach(() => void saveProof(proof()))
  const first = (): string => `patches/${applied.series.patches[0]!.file}`

  const problemsOf = async (forge: (entries: Map<string, string>) => TarEntry[] | void): Promise<string> =>
    (await verifyBundle(await forged(await packed(), forge))).problems.join('\n')

  test('control: packed again by hand it is sound', async () => {
    expect(await problemsOf(() => {})).toBe('')
    expect(await problemsOf(remade)).toBe('')
  })

  test('a file was changed, went, or came', async () => {
    expect(await problemsOf((e) => void e.set('versions.json', '{}'))).toBe('versions.json: was changed')
    expect(await problemsOf((e) => void e.delete('versions.json'))).toBe('"versions.json": is missing')
    expect(await problemsOf((e) => void e.set('more.txt', 'x'))).toBe('more.txt: is not in the manifest')
    expect(await problemsOf((e) => void e.delete(MANIFEST))).toBe('manifest.json is missing')
    expect(await problemsOf((e) => void e.set(MANIFEST, '{}'))).toMatch(/is not one of phyr/)
  })

  test('the same length, one byte different', async () => {
    const said = await problemsOf(
      (e) => void e.set(first(), e.get(first())!.replace('line three', 'line thref')),
    )
    expect(said).toContain(`${first()}: was changed`)
  })

  test('a patch was changed and the manifest written anew: the proof is not of it', async () => {
    const said = await problemsOf((e) => {
      e.set(first(), e.get(first())!.replace('line three', 'line thref'))
      remade(e)
    })
    expect(said).toMatch(/the patches are not those of the manifest/)
  })

  test('and the hash of the series with it: the proof names another one', async () => {
    const said = await problemsOf((e) => {
      const order = e.get('patches/series')!.split('\n').filter(Boolean).slice(0, 2)
      e.set('patches/series', `${order.join('\n')}\n`)
      const manifest = JSON.parse(e.get(MANIFEST)!) as { series: { hash: string; patches: number } }
      const verified = order.map((name) => [name, sha256(e.get(`patches/${name}`)!)])
      manifest.series = { ...manifest.series, hash: keyLike(verified), patches: 2 }
      e.set(MANIFEST, JSON.stringify(manifest))
      remade(e)
    })
    expect(said).toMatch(/the proof is of other patches/)
  })

  test('a proof that was painted green contradicts itself', async () => {
    const bad = proof()
    const patches = [
      { ...bad.patches[0]!, outcome: 'fail' as const, stage: 'test' as const },
      ...bad.patches.slice(1),
    ]
    const said = await problemsOf((e) => {
      e.set('records/proof.json', JSON.stringify({ ...bad, patches, outcome: 'pass' }))
      remade(e)
    })
    expect(said).toMatch(/says pass, and one of its patches did not/)
  })

  test.each([
    ['../escape', /leaves the bundle/],
    ['/etc/passwd', /absolute path/],
    ['logs/../../x', /leaves the bundle/],
    ['logs/.git/hooks', /odd path/],
    ['a b', /odd characters/],
    ['-rf', /odd characters/],
    ['x\u001b[2J', /odd characters/],
  ])('a name like %j', async (name, message) => {
    const said = await problemsOf(() => [{ header: { name, size: 1, type: 'file' }, body: 'x' }])
    expect(said).toMatch(message)
    expect(existsSync(join(dir, '..', 'escape'))).toBe(false)
  })

  test('links, devices and directories', async () => {
    const more = (type: 'symlink' | 'link' | 'directory' | 'fifo'): TarEntry[] => [
      { header: { name: `odd-${type}`, size: 0, type, linkname: 'manifest.json' } },
    ]
    for (const type of ['symlink', 'link', 'directory', 'fifo'] as const)
      expect(await problemsOf(() => more(type))).toMatch(/where only files belong/)
  })

  test('a file that is in it twice: the second could be what is unpacked', async () => {
    const again = await problemsOf((e) => {
      const body = e.get('versions.json')!
      return [{ header: { name: 'versions.json', size: Buffer.byteLength(body), type: 'file' }, body }]
    })
    expect(again).toBe('versions.json: is in it twice')
  })

  test('cut off, not compressed, with something behind it, a bomb', async () => {
    const file = await packed()
    const bytes = readFileSync(file)
    writeFileSync(join(dir, 'cut.tar.xz'), bytes.subarray(0, bytes.length >> 1))
    expect((await verifyBundle(join(dir, 'cut.tar.xz'))).problems.join()).toMatch(/cannot be read|damaged/)
    writeFileSync(join(dir, 'text.tar.xz'), 'no archive')
    expect((await verifyBundle(join(dir, 'text.tar.xz'))).problems.join()).toMatch(/cannot be read|damaged/)
    appendFileSync(file, 'garbage')
    expect((await verifyBundle(file)).problems.join()).toMatch(/cannot be read|damaged/)
    const bomb = await forged(await packed(), () => [
      { header: { name: 'zeros', size: 1 << 20, type: 'file' }, body: new Uint8Array(1 << 20) },
    ])
    const limits = { entry: 1 << 16, total: 1 << 20, count: 100 }
    expect((await verifyBundle(bomb, limits)).problems.join()).toMatch(/"zeros" is larger than 65536 bytes/)
    expect((await verifyBundle(await packed(), { ...limits, count: 2 })).problems.join()).toMatch(
      /more than 2 files/,
    )
  })
})

describe('mails in a bundle', () => {
  async function withMail(change: (files: Record<string, string>) => void): Promise<string> {
    saveProof(proof())
    const files: Record<string, string> = {}
    for (const [i, patch] of applied.series.patches.entries())
      files[`000${i + 1}-x.patch`] = patch.text.replace('[PATCH]', `[PATCH ${i + 1}/3]`)
    const messages = applied.series.patches.map((patch, i) => {
      const file = `000${i + 1}-x.patch`
      return { number: i + 1, file, patch: patch.file, sha256: sha256(files[file]!) }
    })
    files['plan.json'] = JSON.stringify({ kind: 'phyr-mail', messages })
    change(files)
    mkdirSync(join(dir, 'out'), { recursive: true })
    writeFiles(join(dir, 'out'), files)
    return (await verifyBundle(await packed('m.tar.xz', join(dir, 'out')))).problems.join('\n')
  }

  test('carry the patches', async () => {
    expect(await withMail(() => {})).toBe('')
  })

  test('one that carries another diff, though the plan knows it', async () => {
    const said = await withMail((files) => {
      const changed = files['0001-x.patch']!.replace('+line three', '+line 3!!!!')
      const plan = files['plan.json']!.replace(sha256(files['0001-x.patch']!), sha256(changed))
      Object.assign(files, { '0001-x.patch': changed, 'plan.json': plan })
    })
    expect(said).toMatch(/0001-x\.patch: does not carry the diff/)
  })

  test('one that the plan does not know', async () => {
    const said = await withMail((files) => void (files['0002-x.patch'] = `${files['0002-x.patch']} `))
    expect(said).toMatch(/0002-x\.patch: is not the mail of the plan/)
  })
})

describe('rerun', () => {
  test('the seed chooses, and reaches every patch', () => {
    const chosen = new Set(Array.from({ length: 60 }, (_, i) => choose(proof(), `${i}`)?.number))
    expect(chosen).toEqual(new Set([1, 2, 3]))
    expect(choose(proof(), 'x')).toEqual(choose(proof(), 'x'))
  })

  test('proves the patches of the bundle, and agrees or does not', async () => {
    saveProof(proof())
    const verified = await verifyBundle(await packed())
    let seen = ''
    const again = await rerun(verified, 's', async (project, { number, suites, config }) => {
      seen = `${suites.join()} ${config} ${readdirSync(project.patches).filter((n) => n.endsWith('.patch')).length}`
      return proof({ patches: proof().patches.filter((p) => p.number === number) })
    })
    expect(seen).toBe('kunit lab 3')
    expect(again).toMatchObject({ outcome: 'pass', problems: [], notes: [] })
    const one = (change: object, whole: Partial<Proof> = {}): Promise<string[]> =>
      rerun(verified, 's', async () =>
        proof({ ...whole, patches: proof().patches.map((p) => ({ ...p, ...change })) }),
      ).then((r) => [...r.problems])
    expect(await one({ allocatedHash: hex('c') })).toEqual([expect.stringMatching(/code and data differ/)])
    expect(await one({ outcome: 'fail', stage: 'boot', reasons: ['oops'] })).toEqual([
      expect.stringMatching(/fail at boot \(oops\); the bundle says pass/),
    ])
    expect(await one({ tree: 'c'.repeat(40) })).toEqual([expect.stringMatching(/leads to tree ccc/)])
    expect(await one({ allocatedHash: hex('c') }, { compiler: 'gcc 13' })).toEqual([])
    expect(await one({}, { patches: [] })).toEqual([])
    const none = await rerun(verified, 's', async () => ({ ...proof(), patches: [] }))
    expect(none.problems).toEqual([expect.stringMatching(/was not proved/)])
  })

  test('no proof, nothing to run again', async () => {
    const verified = await verifyBundle(await packed())
    await expect(rerun(verified, 's', async () => proof())).rejects.toBeInstanceOf(UsageError)
  })
})

function keyLike(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 20)
}
