// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins and unpins user memory through the kernel's mm/gup_test
 * (/sys/kernel/debug/gup_test). One operation is one ioctl: the kernel takes
 * all pages of the memory, and lets go of them.
 *
 * The ioctl allocates the array of pages before and looks at every page with
 * folio_maybe_dma_pinned() between the two halves: that is in the count too,
 * the same in every kernel. With phyrs the array starts at one page, grows when
 * it is full, and every folio is looked at instead of every page: to need less
 * of both is what phyrs are for.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include "phyr-memory.h"

/* mm/gup_test.h, which is in no package of kernel headers. */
struct gup_test {
	__u64 get_delta_usec;
	__u64 put_delta_usec;
	__u64 addr;
	__u64 size;
	__u32 nr_pages_per_call;
	__u32 gup_flags;
	__u32 test_flags;
	__u32 which_pages[8];
};

struct pin_phyrs_benchmark {
	__u64 get_delta_usec;
	__u64 put_delta_usec;
	__u64 addr;
	__u64 size;
	__u64 nr_phyrs;
	__u64 array_bytes;
	__u32 phyr_bytes;
	__u32 gup_flags;
	__u64 reserved;
};

#define PIN_PHYRS_BENCHMARK _IOWR('g', 10, struct pin_phyrs_benchmark)

enum { FOLL_WRITE = 1, FOLL_LONGTERM = 0x100 };
#define DEVICE "/sys/kernel/debug/gup_test"

struct run {
	const struct command *command;
	unsigned char *at;
	unsigned long bytes, pages_per_call;
	int fd, write, longterm;
	unsigned long long get_usec, put_usec, entries, entry_bytes;
};

/* A way to pin: `op` does it once and adds to the run's times and entries. */
struct command {
	const char *name, *what;
	unsigned long request;
	int (*op)(void *data);
};

static int gup_test(void *data)
{
	struct run *run = data;
	struct gup_test test = {
		.addr = (uintptr_t)run->at,
		.size = run->bytes,
		.nr_pages_per_call = run->pages_per_call,
		.gup_flags = run->write ? FOLL_WRITE : 0,
	};

	if (ioctl(run->fd, run->command->request, &test) < 0)
		return -1;
	/* Fewer pages than asked for is no error to the ioctl. */
	if (test.size != run->bytes) {
		errno = EFAULT;
		return -1;
	}
	run->get_usec += test.get_delta_usec;
	run->put_usec += test.put_delta_usec;
	run->entries = test.size / PAGE;
	run->entry_bytes = sizeof(long); /* a pointer of the kernel, which is as wide as this program */
	return 0;
}

static int pin_phyrs(void *data)
{
	struct run *run = data;
	struct pin_phyrs_benchmark test = {
		.addr = (uintptr_t)run->at,
		.size = run->bytes,
		.gup_flags = (run->write ? FOLL_WRITE : 0) | (run->longterm ? FOLL_LONGTERM : 0),
	};

	if (ioctl(run->fd, run->command->request, &test) < 0)
		return -1;
	if (test.size != run->bytes) {
		errno = EFAULT;
		return -1;
	}
	run->get_usec += test.get_delta_usec;
	run->put_usec += test.put_delta_usec;
	run->entries = test.nr_phyrs;
	run->entry_bytes = test.phyr_bytes;
	return 0;
}

static const struct command commands[] = {
	{ "gup-fast", "get_user_pages_fast", _IOWR('g', 1, struct gup_test), gup_test },
	{ "pin-fast", "pin_user_pages_fast", _IOWR('g', 2, struct gup_test), gup_test },
	{ "pin-longterm", "pin_user_pages with FOLL_LONGTERM", _IOWR('g', 3, struct gup_test), gup_test },
	{ "gup", "get_user_pages", _IOWR('g', 4, struct gup_test), gup_test },
	{ "pin", "pin_user_pages", _IOWR('g', 5, struct gup_test), gup_test },
	{ "pin-phyrs", "pin_user_phyrs, or what the kernel has instead", PIN_PHYRS_BENCHMARK, pin_phyrs },
};

static const char help[] =
	"usage: gup-bench [OPTION]... CASE\n"
	"\n"
	"Pins and unpins memory by /sys/kernel/debug/gup_test, in one marked region.\n"
	"\n"
	"-c, --command NAME     gup-fast, pin-fast, pin-longterm, gup, pin, pin-phyrs\n"
	"                       (pin-fast); pin-phyrs is what this kernel offers to pin a\n"
	"                       range: one without pin_user_phyrs() does pin-fast, or\n"
	"                       pin-longterm with -l\n"
	"-m, --memory KIND      " MEMORY_KINDS " (4k)\n"
	"-b, --bytes N          memory that one operation pins (1m)\n"
	"-p, --pages-per-call N pages that the ioctl asks for at once (all)\n"
	"-r, --read-only        without FOLL_WRITE\n"
	"-l, --longterm         pin-phyrs with FOLL_LONGTERM\n"
	"-n, --operations N     operations in the region (100)\n"
	"-w, --warm-up N        operations before it (10)\n"
	"-s, --step N           a step mark after every N operations (none)\n"
	"-e, --entries          report how many entries the last operation gave, and with\n"
	"                       pin-phyrs how many bytes of an array they are\n"
	"-t, --times            report nanoseconds of taking and of letting go, the mean\n"
	"                       of all operations; the kernel counts microseconds\n";

static const struct option options[] = {
	{ "command", required_argument, NULL, 'c' },
	{ "memory", required_argument, NULL, 'm' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "pages-per-call", required_argument, NULL, 'p' },
	{ "read-only", no_argument, NULL, 'r' },
	{ "longterm", no_argument, NULL, 'l' },
	{ "operations", required_argument, NULL, 'n' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "step", required_argument, NULL, 's' },
	{ "entries", no_argument, NULL, 'e' },
	{ "times", no_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	bad_argument("gup-bench", "no such command: '%s'", name);
}

/* Nothing to pin is no error to the ioctl, where there is one. */
static int has_phyrs(int fd)
{
	struct pin_phyrs_benchmark nothing = { 0 };

	return !ioctl(fd, PIN_PHYRS_BENCHMARK, &nothing) || (errno != EINVAL && errno != ENOTTY);
}

int main(int argc, char **argv)
{
	struct bench bench = { .program = "gup-bench", .ops = 100, .warm_up = 10 };
	struct run run = { .command = &commands[1], .bytes = 1 << 20, .write = 1 };
	const struct memory_kind *kind = &memory_kinds[0];
	int option, phyrs, entries = 0, times = 0;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:m:b:p:rln:w:s:eth", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			run.command = command_named(optarg);
			break;
		case 'm':
			kind = memory_kind(optarg);
			if (!kind)
				bad_argument(bench.program, "no such memory: '%s'", optarg);
			break;
		case 'b':
			run.bytes = parse_number(bench.program, "--bytes", optarg, PAGE, 1ul << 40);
			break;
		case 'p':
			run.pages_per_call = parse_number(bench.program, "--pages-per-call", optarg, 1, INT_MAX);
			break;
		case 'r':
			run.write = 0;
			break;
		case 'l':
			run.longterm = 1;
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
		case 'e':
			entries = 1;
			break;
		case 't':
			times = 1;
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
	if (run.bytes % PAGE)
		bad_argument(bench.program, "--bytes must be a multiple of %lu: %lu", PAGE, run.bytes);
	phyrs = run.command->op == pin_phyrs;
	if (run.longterm && !phyrs)
		bad_argument(bench.program, "--longterm is for pin-phyrs");
	if (run.pages_per_call && phyrs)
		bad_argument(bench.program, "--pages-per-call is not for pin-phyrs");
	if (!run.pages_per_call)
		run.pages_per_call = run.bytes / PAGE;

	run.fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (run.fd < 0)
		skip(&bench, "cannot open " DEVICE ": %s", strerror(errno));
	if (phyrs && !has_phyrs(run.fd))
		run.command = command_named(run.longterm ? "pin-longterm" : "pin-fast");
	run.at = memory_make(&bench, kind, run.bytes);
	bench_run(&bench, run.command->op, &run);
	if (entries)
		say("phyr: count %s entries %llu", bench.name, run.entries);
	if (entries && phyrs)
		say("phyr: count %s array-bytes %llu", bench.name, run.entries * run.entry_bytes);
	if (times) {
		unsigned long all = bench.ops + bench.warm_up;

		say("phyr: count %s get_ns %llu", bench.name, run.get_usec * 1000 / all);
		say("phyr: count %s put_ns %llu", bench.name, run.put_usec * 1000 / all);
	}
	return 0;
}
