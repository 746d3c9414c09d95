// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers buffers (or files) with an io_uring and unregisters them, by raw
 * system calls. One operation is one registration of all of them and its
 * unregistration.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "phyr-memory.h"

enum { MAX_SLOTS = 16384 };

struct run {
	int ring;
	unsigned int put, take; /* opcodes of io_uring_register */
	unsigned int count;
	void *table;
};

static const char help[] =
	"usage: uring-reg [OPTION]... CASE\n"
	"\n"
	"Registers fixed buffers with an io_uring and unregisters them, in one marked\n"
	"region.\n"
	"\n"
	"-m, --memory KIND   " MEMORY_KINDS " (4k)\n"
	"-b, --bytes N       size of a buffer (1m)\n"
	"-c, --count N       buffers in a registration (1)\n"
	"-f, --files N       register N files instead of buffers\n"
	"-n, --operations N  registrations in the region (100)\n"
	"-w, --warm-up N     registrations before it (10)\n"
	"-s, --step N        a step mark after every N registrations (none)\n";

static const struct option options[] = {
	{ "memory", required_argument, NULL, 'm' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "count", required_argument, NULL, 'c' },
	{ "files", required_argument, NULL, 'f' },
	{ "operations", required_argument, NULL, 'n' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "step", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int register_once(void *data)
{
	const struct run *run = data;

	if (syscall(SYS_io_uring_register, run->ring, run->put, run->table, run->count) < 0)
		return -1;
	return syscall(SYS_io_uring_register, run->ring, run->take, NULL, 0) < 0 ? -1 : 0;
}

/* The buffers lie one after another, each at the start of a page. */
static struct iovec *buffers(const struct bench *bench, const struct memory_kind *kind, unsigned long bytes,
			     unsigned int count)
{
	struct iovec *table = calloc(count, sizeof(*table));
	unsigned long stride = (bytes + PAGE - 1) / PAGE * PAGE;
	unsigned char *at = memory_make(bench, kind, stride * count);

	if (!table)
		fail(bench, "no memory for the table");
	for (unsigned int i = 0; i < count; i++) {
		table[i].iov_base = at + i * stride;
		table[i].iov_len = bytes;
	}
	return table;
}

static int *files(const struct bench *bench, unsigned int count)
{
	int *table = calloc(count, sizeof(*table));
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!table || fd < 0)
		fail(bench, "no table or no /dev/null: %s", strerror(errno));
	for (unsigned int i = 0; i < count; i++)
		table[i] = fd;
	return table;
}

int main(int argc, char **argv)
{
	struct bench bench = { .program = "uring-reg", .ops = 100, .warm_up = 10 };
	struct run run = { .put = IORING_REGISTER_BUFFERS, .take = IORING_UNREGISTER_BUFFERS, .count = 1 };
	const struct memory_kind *kind = &memory_kinds[0];
	struct io_uring_params params = { 0 };
	unsigned long bytes = 1 << 20;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":m:b:c:f:n:w:s:h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			kind = memory_kind(optarg);
			if (!kind)
				bad_argument(bench.program, "no such memory: '%s'", optarg);
			break;
		case 'b':
			/* The kernel takes no buffer above 1 GiB. */
			bytes = parse_number(bench.program, "--bytes", optarg, 1, 1ul << 30);
			break;
		case 'c':
			run.count = parse_number(bench.program, "--count", optarg, 1, MAX_SLOTS);
			break;
		case 'f':
			run.count = parse_number(bench.program, "--files", optarg, 1, MAX_SLOTS);
			run.put = IORING_REGISTER_FILES;
			run.take = IORING_UNREGISTER_FILES;
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

	run.ring = syscall(SYS_io_uring_setup, 1, &params);
	if (run.ring < 0)
		skip(&bench, "io_uring_setup: %s", strerror(errno));
	run.table = run.put == IORING_REGISTER_FILES ? (void *)files(&bench, run.count) :
						       (void *)buffers(&bench, kind, bytes, run.count);
	bench_run(&bench, register_once, &run);
	return 0;
}
