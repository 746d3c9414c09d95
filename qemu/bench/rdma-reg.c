// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers memory with an RDMA device and deregisters it. One operation is
 * both.
 *
 * What registered memory costs to keep is counted in pages: those that are free
 * before some registrations and not after them, the memory itself having been
 * there already.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <getopt.h>
#include "phyr-memory.h"
#include "phyr-verbs.h"

enum { MAX_KEPT = 1024, KEPT_ROUNDS = 2, ENOUGH_PAGES = 64 };

struct run {
	struct verbs verbs;
	void *at;
	unsigned long bytes;
};

static const char help[] =
	"usage: rdma-reg [OPTION]... CASE\n"
	"\n"
	"Registers memory with an RDMA device and deregisters it, in one marked region.\n"
	"\n"
	"-d, --driver NAME   " VERBS_DRIVERS " (rxe)\n"
	"-m, --memory KIND   " MEMORY_KINDS " (4k)\n"
	"-b, --bytes N       memory of a registration (1m)\n"
	"-n, --operations N  registrations in the region (100)\n"
	"-w, --warm-up N     registrations before it (10)\n"
	"-s, --step N        a step mark after every N registrations (none)\n"
	"-k, --kept N        then report bytes that a registration holds: the mean of N\n"
	"                    of the same memory, or of more if they hold next to nothing\n";

static const struct option options[] = {
	{ "driver", required_argument, NULL, 'd' },
	{ "memory", required_argument, NULL, 'm' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "operations", required_argument, NULL, 'n' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "step", required_argument, NULL, 's' },
	{ "kept", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int register_one(const struct run *run, struct region *region)
{
	return verbs_register(&run->verbs, run->at, run->bytes, LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ,
			      region);
}

static int register_once(void *data)
{
	const struct run *run = data;
	struct region region;

	if (register_one(run, &region) < 0)
		return -1;
	return verbs_deregister(&run->verbs, &region);
}

/* Gives slabs without an object back, so that an object that comes needs a page as the first of its kind does. */
static void shrink_slabs(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", entry->d_name);
		memory_set(path, "1");
	}
	if (dir)
		closedir(dir);
}

/* Pages of the zones' free lists, and of the processors' own lists, which those do not count. */
static long free_pages(const struct bench *bench)
{
	static char text[1 << 16];
	size_t len = 0;
	ssize_t n;
	long pages = 0, value;
	int fd = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC), found = 0;

	while (fd >= 0 && len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	if (fd >= 0)
		close(fd);
	text[len] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, " pages free %ld", &value) != 1 && sscanf(line, " count: %ld", &value) != 1)
			continue;
		pages += value;
		found++;
	}
	if (found < 2)
		fail(bench, "/proc/zoneinfo does not tell what is free");
	return pages;
}

/* The fewest pages that `count` registrations held in some rounds: what else takes memory meanwhile only adds. */
static long pages_kept(const struct bench *bench, const struct run *run, unsigned int count)
{
	/* What was freed by RCU before is free by then. */
	const struct timespec pause = { .tv_nsec = 300000000 };
	static struct region regions[MAX_KEPT];
	long least = LONG_MAX;

	/* The first is to warm up. */
	for (int round = 0; round <= KEPT_ROUNDS; round++) {
		long before, after;

		nanosleep(&pause, NULL);
		shrink_slabs();
		before = free_pages(bench);
		for (unsigned int i = 0; i < count; i++)
			if (register_one(run, &regions[i]) < 0)
				fail(bench, "registration %u to keep: %s", i + 1, strerror(errno));
		after = free_pages(bench);
		for (unsigned int i = 0; i < count; i++)
			if (verbs_deregister(&run->verbs, &regions[i]) < 0)
				fail(bench, "deregistration %u: %s", i + 1, strerror(errno));
		if (round && before - after < least)
			least = before - after;
	}
	return least < 0 ? 0 : least;
}

/* Of so many registrations that a page more or less does not matter, or of all that there is room for. */
static void report_kept(const struct bench *bench, const struct run *run, unsigned int count)
{
	long pages = pages_kept(bench, run, count);

	while (pages < ENOUGH_PAGES && count <= MAX_KEPT / 2) {
		count *= 2;
		pages = pages_kept(bench, run, count);
	}
	say("phyr: count %s kept-bytes %lu", bench->name, pages * PAGE / count);
}

int main(int argc, char **argv)
{
	struct bench bench = { .program = "rdma-reg", .ops = 100, .warm_up = 10 };
	struct run run = { .bytes = 1 << 20 };
	const struct memory_kind *kind = &memory_kinds[0];
	const char *driver = "rxe";
	unsigned int kept = 0;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":d:m:b:n:w:s:k:h", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			driver = optarg;
			if (strcmp(driver, "rxe") && strcmp(driver, "siw"))
				bad_argument(bench.program, "no such driver: '%s'", driver);
			break;
		case 'm':
			kind = memory_kind(optarg);
			if (!kind)
				bad_argument(bench.program, "no such memory: '%s'", optarg);
			break;
		case 'b':
			run.bytes = parse_number(bench.program, "--bytes", optarg, 1, 1ul << 40);
			break;
		case 'n':
			bench.ops = parse_number(bench.program, "--operations", optarg, 1, UINT_MAX);
			break;
		case 'w':
			bench.warm_up = parse_number(bench.program, "--warm-up", optarg, 0, UINT_MAX);
			break;
		case 's':
			bench.step = parse_number(bench.program, "--step", optarg, 1, UINT_MAX);
			break;
		case 'k':
			kept = parse_number(bench.program, "--kept", optarg, 1, MAX_KEPT);
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			bad_option(bench.program, option, argv);
		}
	}
	if (argc - optind != 1)
		bad_argument(bench.program, "one CASE is needed");
	bench.name = argv[optind];
	require_case(bench.program, bench.name);
	require_steps(&bench);

	run.verbs = verbs_open(&bench, driver);
	run.at = memory_make(&bench, kind, run.bytes);
	bench_run(&bench, register_once, &run);
	if (kept)
		report_kept(&bench, &run, kept);
	return 0;
}
