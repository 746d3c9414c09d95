// SPDX-License-Identifier: GPL-2.0-only
import { EXIT } from '../lib/errors.ts'
import { findProject } from '../lib/project.ts'
import { getKernel } from '../run/kernel.ts'
import { matrixOf } from '../run/matrix.ts'
import { ready } from '../run/ready.ts'
import { getApplied } from '../run/sources.ts'
import { kernelChoiceOf } from './choice.ts'
import { defineVerb } from './define.ts'
import { kernelOptions, sourceOptions } from './options.ts'

export default defineVerb({
  options: { ...sourceOptions, ...kernelOptions },
  async run(args, signal) {
    const project = findProject(args.C)
    const choice = kernelChoiceOf(args)
    // The same cells as `run`, so that both ask for the same selftests and find the same kernel.
    const cells = matrixOf(project, { machines: ['virtio'], suites: undefined, arch: args.arch })
    await ready(signal)
    const applied = await getApplied(project, choice, signal)
    const { kernel } = await getKernel(project, applied, choice, cells, signal)
    const { key, dir, release, config, arch, image, vmlinux, cached, record } = kernel
    process.stdout.write(
      args.json
        ? `${JSON.stringify({ schema: 1, key, dir, release, config, arch, image, vmlinux, cached, ...record })}\n`
        : `${release}  ${config}  ${key}\nimage   ${image}\nvmlinux ${vmlinux}\n`,
    )
    return EXIT.pass
  },
})
