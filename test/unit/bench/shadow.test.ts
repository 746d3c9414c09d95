// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runOk } from '../../../tools/lib/exec.ts'
import { toolRoot } from '../../../tools/lib/paths.ts'

/** Reads events, one a line, and prints what was counted at each `end`. */
const DRIVER = String.raw`
#include <inttypes.h>
#include <stdio.h>
#include "shadow.h"

static struct shadow s;
static struct shadow_block blocks[4096];
static uint64_t executed;

static void path(uint32_t i)
{
	if (s.paths.path[i].parent) {
		path(s.paths.path[i].parent);
		putchar(';');
	}
	printf("%u", s.paths.path[i].function);
}

static void report(void)
{
	uint64_t unknown = 0;

	for (uint32_t i = 1; i < PATHS; i++) {
		if (!s.paths.path[i].count)
			continue;
		unknown += shadow_unknown(&s, i) ? s.paths.path[i].count : 0;
		path(i);
		printf(" %" PRIu64 "\n", s.paths.path[i].count);
	}
	printf("# tick %" PRIu64 " cut %" PRIu64 " unknown %" PRIu64 " depth %u tasks %u\n", s.tick,
	       s.cut, unknown, s.stack->depth, s.nr_tasks);
}

/* Random blocks that end and begin anywhere: nothing may be lost, and nothing touched that is not ours. */
static int fuzz(unsigned int n)
{
	uint64_t sum = 0, random = n;

	shadow_begin(&s, executed);
	for (unsigned int i = 0; i < n; i++) {
		struct shadow_block *b = &blocks[i % 4096];
		unsigned int r;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		r = (unsigned int)(random >> 33);
		if (i < 4096) {
			unsigned int function = r % 7 ? SHADOW_FIRST + r % 13 : SHADOW_USER;
			uint64_t begin = 0x1000 * function + (r >> 4) % 4 * 16;

			*b = (struct shadow_block){ begin, begin + 12, begin + 16,
				(r >> 6) % 3 ? 0 : 0x1000 * (1 + (r >> 8) % 13), function,
				1 + (r >> 12) % 5, (r >> 16) % 5, (r >> 20) % 3 ? 0 : (r >> 22) % 5,
				(begin & 0xfff) == 0 };
		} else {
			b = &blocks[r % 4096];
		}
		shadow_enter(&s, b, executed);
		executed += (r >> 24) % 5 ? b->instructions : 1;
		if ((r >> 10) % 11 == 0)
			shadow_leave(&s, (r >> 14) % 9);
		if ((r >> 10) % 13 == 0)
			shadow_resume(&s, (r >> 18) % 9, executed);
	}
	shadow_end(&s, executed);
	for (uint32_t i = 1; i < PATHS; i++)
		sum += s.paths.path[i].count;
	printf("%s\n", sum + s.tick == executed ? "all there" : "lost some");
	return 0;
}

int main(void)
{
	char word[16];
	unsigned int id, function, n, exit, entry, first;
	uint64_t begin, target, key;

	if (!shadow_init(&s))
		return 1;
	while (scanf("%15s", word) == 1) {
		if (!strcmp(word, "block") &&
		    scanf("%u %" SCNu64 " %" SCNu64 " %u %u %u %u %u", &id, &begin, &target, &function, &n,
			  &exit, &entry, &first) == 8)
			blocks[id] = (struct shadow_block){ begin, begin + 4 * (n - 1), begin + 4 * n, target,
							    function, n, exit, entry, first };
		else if (!strcmp(word, "run") && scanf("%u %u", &id, &n) == 2) {
			shadow_enter(&s, &blocks[id], executed);
			executed += n;
		} else if (!strcmp(word, "leave") && scanf("%" SCNu64, &key) == 1)
			shadow_leave(&s, key);
		else if (!strcmp(word, "resume") && scanf("%" SCNu64, &key) == 1)
			shadow_resume(&s, key, executed);
		else if (!strcmp(word, "begin"))
			shadow_begin(&s, executed);
		else if (!strcmp(word, "end")) {
			shadow_end(&s, executed);
			report();
		} else if (!strcmp(word, "fuzz") && scanf("%u", &n) == 1)
			fuzz(n);
		else
			return 2;
	}
	shadow_free(&s);
	return 0;
}
`

let dir = ''
let normal = ''
let small = ''
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'phyr-shadow-'))
  writeFileSync(join(dir, 'driver.c'), DRIVER)
  const compile = async (name: string, defines: readonly string[]): Promise<string> => {
    const program = join(dir, name)
    const flags = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined']
    const include = ['-fno-sanitize-recover=all', '-I', join(toolRoot, 'qemu/plugin')]
    await runOk('gcc', [...flags, ...include, ...defines, '-o', program, join(dir, 'driver.c')])
    return program
  }
  normal = await compile('normal', [])
  small = await compile('small', ['-DSHADOW_DEPTH=4', '-DSHADOW_TASKS=2', '-DPATHS=16'])
}, 120_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const FUNCTIONS = ['user space', '[switched]', '[lost]', 'sys', 'read', 'bio', 'end_io', 'thunk'].concat([
  'irq',
  'tick',
  'fork',
  'schedule',
  'switch',
  'stub',
  'idle',
])
const EXITS = ['falls', 'jumps', 'calls', 'returns', 'irets'] as const
const ENTRIES: Record<string, number> = { irq: 1, stub: 1, tick: 2, fork: 3, schedule: 4 }

/**
 * A block of 4-byte instructions: `sys+8 x3 calls read` is three of them, from the eighth byte of sys on, of which
 * the last calls read; `calls *` does not say whom. With `!2` only two are executed before something else is.
 */
function events(lines: readonly string[]): string {
  return lines
    .map((line, i) => {
      const match = /^(\w+|user space)(?:\+(\d+))? x(\d+)(?: (\w+))?(?: (\w+|\*))?(?: !(\d+))?$/.exec(line)
      if (!match) return line
      const [, name = '', offset = '0', count = '', exit = 'falls', to, executed] = match
      const f = FUNCTIONS.indexOf(name)
      const target = to === undefined || to === '*' ? 0 : 4096 * FUNCTIONS.indexOf(to)
      const first = offset === '0'
      // Each stub of a vector is an entry; of other functions only where they begin.
      const entry = first || name === 'stub' ? (ENTRIES[name] ?? 0) : 0
      const how = EXITS.indexOf(exit as (typeof EXITS)[number])
      if (f < 0 || how < 0 || target < 0) throw new Error(line)
      const fields = [i, 4096 * f + Number(offset), target, f, count, how, entry, Number(first)]
      return `block ${fields.join(' ')}\nrun ${i} ${executed ?? count}`
    })
    .join('\n')
}

async function counted(lines: readonly string[], program = normal): Promise<Record<string, number>> {
  const out = await runOk(program, [], { input: events(lines) })
  const costs: Record<string, number> = {}
  for (const line of out.trimEnd().split('\n')) {
    if (line.startsWith('#')) {
      const words = line.slice(2).split(' ')
      for (let i = 0; i < words.length; i += 2) costs[`#${words[i]}`] = Number(words[i + 1])
    } else {
      const [path = '', count] = line.split(' ')
      const names = path.split(';').map((id) => FUNCTIONS[Number(id)])
      costs[names.join(';')] = Number(count)
    }
  }
  return costs
}

/** What was counted where everything is known. */
const known = (costs: Record<string, number>): Record<string, number> => ({
  ...costs,
  '#tick': costs['#tick'] ?? 0,
  '#cut': 0,
  '#unknown': 0,
  '#tasks': costs['#tasks'] ?? 0,
})

test('calls go down, returns come back, and user space is one path', async () => {
  expect(
    await counted([
      'begin',
      'user space x3',
      'user space+40 x2',
      'sys x2 calls read',
      'read x3 calls *',
      'bio x4 returns',
      'read+12 x1 calls bio',
      'bio x4 returns',
      'read+16 x2 returns',
      'sys+8 x1',
      'user space x7',
      'end',
    ]),
  ).toEqual(known({ 'user space': 12, sys: 3, 'sys;read': 6, 'sys;read;bio': 8, '#depth': 1 }))
})

test('what runs before the mark is followed and not counted', async () => {
  expect(
    await counted(['user space x3', 'sys x2 calls read', 'read x3', 'begin', 'read+12 x4', 'end']),
  ).toEqual(known({ 'sys;read': 4, '#depth': 2 }))
})

test('a return can leave several functions at once', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x3 calls bio',
      'bio x4 returns',
      'sys+8 x5',
      'end',
    ]),
  ).toEqual(known({ 'user space': 1, sys: 7, 'sys;read': 3, 'sys;read;bio': 4, '#depth': 1 }))
})

test('recursion is a path of its own', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x3 calls read',
      'read x3 calls read',
      'read x4 returns',
      'read+12 x1 returns',
      'read+12 x1 returns',
      'sys+8 x1',
      'end',
    ]),
  ).toEqual(
    known({
      'user space': 1,
      sys: 3,
      'sys;read': 4,
      'sys;read;read': 4,
      'sys;read;read;read': 4,
      '#depth': 1,
    }),
  )
})

test('a block that is left before its call has called nothing', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x5 calls bio !2',
      'read+8 x3 calls bio',
      'bio x4 returns',
      'read+20 x1',
      'end',
    ]),
  ).toEqual(known({ 'user space': 1, sys: 2, 'sys;read': 6, 'sys;read;bio': 4, '#depth': 2 }))
})

test('a tail call takes the place of its function, and its return is that function’s', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls read',
      'read x3 jumps bio',
      'bio x4 jumps *',
      'end_io x5 returns',
      'sys+8 x1',
      'end',
    ]),
  ).toEqual(known({ 'user space': 1, sys: 3, 'sys;read': 3, 'sys;bio': 4, 'sys;end_io': 5, '#depth': 1 }))
})

test('a retpoline is a call of what it returns to', async () => {
  expect(
    await counted([
      'begin',
      'user space x1',
      'sys x2 calls thunk',
      'thunk x1 calls *',
      'thunk+16 x2 returns',
      'read x5 returns',
      'sys+8 x1',
      'end',
    ]),
  ).toEqual(
    known({ 'user space': 1, sys: 3, 'sys;thunk': 1, 'sys;thunk;thunk': 2, 'sys;read': 5, '#depth': 1 }),
  )
})

test('the entry’s own labels stay under the entry', async () => {
  expect(
    await counted(['begin', 'user space x1', 'irq x2', 'thunk+8 x3 irets', 'user space x1', 'end']),
  ).toEqual(known({ 'user space': 2, irq: 2, 'irq;thunk': 3, '#depth': 1 }))
})

describe('an interrupt', () => {
  const around = (
    before: readonly string[],
    after: readonly string[],
    inside = ['irq x2 calls end_io', 'end_io x3 returns', 'irq+8 x1 irets'],
  ): string[] => ['begin', 'user space x1', 'sys x2 calls read', ...before, ...inside, ...after, 'end']

  const costs = (more: Record<string, number>): Record<string, number> =>
    known({ 'user space': 1, irq: 3, 'irq;end_io': 3, ...more })

  test('in the middle of a block has a path of its own, and what it interrupted goes on', async () => {
    expect(await counted(around(['read x9 returns !2'], ['read+8 x7 returns', 'sys+8 x1']))).toEqual(
      costs({ sys: 3, 'sys;read': 9, '#depth': 1 }),
    )
  })

  test('between a call and the function that it calls', async () => {
    expect(
      await counted(around(['read x2 calls *'], ['bio x4 returns', 'read+8 x1 returns', 'sys+8 x1'])),
    ).toEqual(costs({ sys: 3, 'sys;read': 3, 'sys;read;bio': 4, '#depth': 1 }))
  })

  test('between a return and where it returns to', async () => {
    expect(await counted(around(['read x2 returns'], ['sys+8 x1']))).toEqual(
      costs({ sys: 3, 'sys;read': 2, '#depth': 1 }),
    )
  })

  test('by the call itself, which is then executed again', async () => {
    expect(
      await counted(around(['read x2 calls bio'], ['read+4 x1 calls bio', 'bio x4 returns', 'read+8 x1'])),
    ).toEqual(costs({ sys: 2, 'sys;read': 4, 'sys;read;bio': 4, '#depth': 2 }))
  })

  test('that strikes as another ends', async () => {
    expect(
      await counted(
        around(
          ['read x3 calls bio'],
          ['bio x4 returns', 'read+12 x1'],
          [
            'irq x2 calls end_io',
            'end_io x1 returns',
            'irq+8 x1 irets',
            'irq x2 calls end_io',
            'end_io x1 returns',
            'irq+8 x1 irets',
          ],
        ),
      ),
    ).toEqual(
      known({
        'user space': 1,
        irq: 6,
        'irq;end_io': 2,
        sys: 2,
        'sys;read': 4,
        'sys;read;bio': 4,
        '#depth': 2,
      }),
    )
  })

  test('through a vector’s stub is the common entry’s', async () => {
    expect(
      await counted(
        around(['read x3'], ['read+12 x1'], ['stub+32 x2 jumps irq', 'irq x2', 'irq+8 x1 irets']),
      ),
    ).toEqual(known({ 'user space': 1, stub: 2, irq: 3, sys: 2, 'sys;read': 4, '#depth': 2 }))
  })

  test('that goes on elsewhere, as a fault with a fix-up does', async () => {
    expect(await counted(around(['read x9 !1'], ['bio+16 x2 returns', 'sys+8 x1']))).toEqual(
      costs({ sys: 3, 'sys;read': 1, 'sys;bio': 2, '#depth': 1 }),
    )
  })

  test('does not match the frames below it', async () => {
    expect(
      await counted(around(['read x3'], [], ['irq x2 calls end_io', 'end_io x3 returns', 'sys+8 x5'])),
    ).toMatchObject({ '[lost];sys': 5, '#unknown': 5 })
  })

  test('iret to itself ends none', async () => {
    expect(
      await counted(['begin', 'user space x1', 'sys x2 calls read', 'read x2 irets', 'read+8 x3', 'end']),
    ).toEqual(known({ 'user space': 1, sys: 2, 'sys;read': 5, '#depth': 2 }))
  })
})

describe('the timer’s interrupt', () => {
  test('is counted apart, also what interrupts it', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2',
        'tick x2 calls end_io',
        'end_io x3 !2',
        'irq x2 irets',
        'end_io+8 x1 returns',
        'tick+8 x1 irets',
        'sys+8 x5',
        'end',
      ]),
    ).toEqual(known({ 'user space': 1, sys: 7, '#tick': 8, '#depth': 1 }))
  })

  test('in the timer’s interrupt ends only itself', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2',
        'tick x2',
        'tick x2',
        'tick+8 x1 irets',
        'tick+8 x3 irets',
        'sys+8 x5',
        'end',
      ]),
    ).toEqual(known({ 'user space': 1, sys: 7, '#tick': 8, '#depth': 1 }))
  })

  test('ends where it switches to another task', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'tick x2 calls schedule',
        'schedule x3 returns',
        'tick+8 x4 irets',
        'user space x1',
        'end',
      ]),
    ).toEqual(known({ 'user space': 2, tick: 4, 'tick;schedule': 3, '#tick': 2, '#depth': 1 }))
  })
})

describe('a switch', () => {
  /** Into switch from a function, over to a task, and back out of it to where the task had called. */
  const over = (from: number, to: number): string[] => [`leave ${from}`, `resume ${to}`]

  test('to a task and back continues both stacks, also with the same return address', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2 calls schedule',
        'schedule x2 calls switch',
        'switch x4 returns',
        ...over(1, 2),
        'fork x3 calls idle',
        'idle x1 calls schedule',
        'schedule x2 calls switch',
        'switch x4 returns',
        ...over(2, 1),
        'schedule+8 x1 returns',
        'sys+8 x5 calls schedule',
        'schedule x2 calls switch',
        'switch x4 returns',
        ...over(1, 2),
        'schedule+8 x1 returns',
        'idle+4 x6',
        'end',
      ]),
    ).toEqual(
      known({
        'user space': 1,
        sys: 7,
        'sys;schedule': 5,
        'sys;schedule;switch': 8,
        fork: 3,
        'fork;idle': 7,
        'fork;idle;schedule': 3,
        'fork;idle;schedule;switch': 4,
        '#depth': 2,
        '#tasks': 1,
      }),
    )
  })

  const stranger = [
    'begin',
    'user space x1',
    'sys x2 calls switch',
    'switch x4 returns !3',
    ...over(1, 2),
    'switch+12 x1 returns',
  ]

  test('to a task that was never seen is not guessed at, until user space', async () => {
    expect(
      await counted([
        ...stranger,
        'sys+8 x3 calls read',
        'read x2 returns',
        'sys+20 x2 returns',
        'idle+8 x1',
        'user space x1',
        'sys x2',
        'end',
      ]),
    ).toEqual({
      'user space': 2,
      sys: 4,
      'sys;switch': 3,
      '[switched];switch': 1,
      '[switched];sys': 5,
      '[switched];sys;read': 2,
      '[switched];idle': 1,
      '#tick': 0,
      '#cut': 0,
      '#unknown': 9,
      '#depth': 1,
      '#tasks': 1,
    })
  })

  test('to a new task begins a path there, whatever had that key before', async () => {
    expect(await counted([...stranger, 'fork x2 calls idle', 'idle x1', 'end'])).toMatchObject({
      fork: 2,
      'fork;idle': 1,
      '#unknown': 1,
    })
  })

  test('forgets the task that waited longest when there are too many', async () => {
    const out = await counted(
      [
        'begin',
        'user space x1',
        'sys x1 calls switch',
        'switch x1 returns',
        ...over(1, 2),
        'fork x1 calls switch',
        'switch x1 returns',
        ...over(2, 3),
        'fork x1 calls switch',
        'switch x1 returns',
        ...over(3, 4),
        'fork x1 calls switch',
        'switch x1 returns',
        ...over(4, 1),
        'sys+4 x5',
        'end',
      ],
      small,
    )
    expect(out).toMatchObject({ '[switched];sys': 5, '#tasks': 2 })
  })
})

describe('what cannot be followed', () => {
  test('a return to nowhere is said to be lost, and a known frame is found again', async () => {
    expect(
      await counted([
        'begin',
        'user space x1',
        'sys x2 calls read',
        'read x2 calls bio',
        'bio x2 returns',
        'end_io+8 x3 returns',
        'read+8 x4',
        'end',
      ]),
    ).toEqual({
      'user space': 1,
      sys: 2,
      'sys;read': 6,
      'sys;read;bio': 2,
      '[lost];end_io': 3,
      '#tick': 0,
      '#cut': 0,
      '#unknown': 3,
      '#depth': 2,
      '#tasks': 0,
    })
  })

  test('calls deeper than there are frames count in the deepest, and come out right', async () => {
    expect(
      await counted(
        [
          'begin',
          'user space x1',
          'sys x1 calls read',
          'read x1 calls bio',
          'bio x1 calls end_io',
          'end_io x1 calls idle',
          'idle x2 calls thunk',
          'thunk x3 returns',
          'idle+8 x4 returns',
          'end_io+4 x1 returns',
          'bio+4 x1 returns',
          'read+4 x1 returns',
          'sys+4 x1',
          'end',
        ],
        small,
      ),
    ).toEqual({
      'user space': 1,
      sys: 2,
      'sys;read': 2,
      'sys;read;bio': 2,
      'sys;read;bio;end_io': 2,
      'sys;read;bio;idle': 6,
      'sys;read;bio;thunk': 3,
      '#tick': 0,
      '#cut': 10,
      '#unknown': 0,
      '#depth': 1,
      '#tasks': 0,
    })
  })

  test('paths that have no room are counted as lost', async () => {
    const functions = FUNCTIONS.slice(3, 8)
    const calls = functions.flatMap((a) =>
      functions.flatMap((b) => [`${a} x1 calls ${b}`, `${b} x1`, 'user space x1']),
    )
    const out = await counted(['begin', 'user space x1', ...calls, 'end'], small)
    expect(out['[lost]']).toBeGreaterThan(0)
    const sum = Object.entries(out).reduce((n, [path, count]) => n + (path.startsWith('#') ? 0 : count), 0)
    expect(sum).toBe(1 + 3 * 25)
    expect(out['#unknown']).toBe(out['[lost]'])
  })

  test.each([1, 20_000, 300_001, 300_002])(
    '%d random blocks: every instruction is counted once',
    async (n) => {
      const input = `fuzz ${n}\n`
      expect(await runOk(small, [], { input })).toBe('all there')
      expect(await runOk(normal, [], { input })).toBe('all there')
    },
  )
})
