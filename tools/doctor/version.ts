// SPDX-License-Identifier: GPL-2.0-only

/** Whether a version such as "1.07.1" is at least another, number by number; what is missing counts as 0. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [have, want] = [numbers(version), numbers(minimum)]
  for (let i = 0; i < Math.max(have.length, want.length); i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

function numbers(version: string): readonly number[] {
  return (version.match(/\d+/g) ?? []).map(Number)
}
