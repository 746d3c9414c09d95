// SPDX-License-Identifier: GPL-2.0-only
export async function ready(_signal: AbortSignal): Promise<void> {}
