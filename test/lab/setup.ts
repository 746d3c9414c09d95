// SPDX-License-Identifier: GPL-2.0-only
import { phyr } from './lab.ts'

/** Before the first lab test: what the lab needs is there, installed where it may be. */
export default async function setup(): Promise<void> {
  const { code, stdout, stderr } = await phyr(['doctor', '--install'])
  if (code !== 0) throw new Error(`phyr doctor --install exited with ${code}\n${stdout}\n${stderr}`)
}
