// SPDX-License-Identifier: GPL-2.0-only
/* For shadow-driver.ts: reads events, one a line, and prints what was counted at each `end`. */
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
