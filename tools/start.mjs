// SPDX-License-Identifier: GPL-2.0-only
// Node 22.18 and newer strip types by themselves, but not below node_modules, where an installed package lives;
// there, and on Node 20, tsx does it.
const native = process.features.typescript && !import.meta.url.includes('/node_modules/')
if (!native) (await import('tsx/esm/api')).register()
await import('./phyr.ts')
