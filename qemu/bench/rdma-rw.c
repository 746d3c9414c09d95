// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMA writes, reads and atomics between two connected queue pairs of one rxe
 * device, as ib_write_bw does them: some requests at a time, of which the last
 * one's completion is waited for. One operation is one request.
 *
 * The requests go to blocks all over the remote memory in an order without
 * pattern; at the end the data is looked at.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include "phyr-memory.h"
#include "phyr-rxe.h"

struct request {
	const char *name;
	uint32_t opcode;
};

static const struct request requests[] = {
	{ "write", IB_UVERBS_WR_RDMA_WRITE },
	{ "read", IB_UVERBS_WR_RDMA_READ },
	{ "fetch-add", IB_UVERBS_WR_ATOMIC_FETCH_AND_ADD },
};

struct run {
	struct verbs verbs;
	struct rxe_link link;
	uint32_t opcode;
	unsigned char *local, *remote;
	unsigned long bytes, length, blocks;
	struct region local_region, remote_region;
	unsigned int batch, posted;
	unsigned long done; /* requests so far */
};

static const char help[] =
	"usage: rdma-rw [OPTION]... CASE\n"
	"\n"
	"Transfers data by RDMA from one queue pair of an rxe device to another one, in\n"
	"one marked region.\n"
	"\n"
	"-r, --request NAME  write, read, fetch-add (write)\n"
	"-l, --length N      bytes of a request (64k); of fetch-add they are 8\n"
	"-m, --memory KIND   of the remote side (4k):\n"
	"                    " MEMORY_KINDS "\n"
	"-b, --bytes N       size of it (1m)\n"
	"-q, --batch N       requests at a time (16)\n"
	"-n, --operations N  requests in the region (160)\n"
	"-w, --warm-up N     requests before it (32)\n"
	"-s, --step N        a step mark after every N requests (none)\n";

static const struct option options[] = {
	{ "request", required_argument, NULL, 'r' },
	{ "length", required_argument, NULL, 'l' },
	{ "memory", required_argument, NULL, 'm' },
	{ "bytes", required_argument, NULL, 'b' },
	{ "batch", required_argument, NULL, 'q' },
	{ "operations", required_argument, NULL, 'n' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "step", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static uint32_t opcode_named(const char *name)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(requests[i].name, name))
			return requests[i].opcode;
	bad_argument("rdma-rw", "no such request: '%s'", name);
}

/* Where the request of this number goes: a prime number of blocks behind the one before it. */
static unsigned long offset_of(const struct run *run, unsigned long number)
{
	return number * 7919 % run->blocks * run->length;
}

static void post(struct run *run, int signaled)
{
	struct rxe_send_wr wr = {
		.wr_id = run->done,
		.opcode = run->opcode,
		.send_flags = signaled ? SEND_SIGNALED : 0,
	};
	struct rxe_sge local = { (uintptr_t)run->local, run->length, run->local_region.lkey };
	uint64_t remote = (uintptr_t)run->remote + offset_of(run, run->done);

	if (run->opcode == IB_UVERBS_WR_ATOMIC_FETCH_AND_ADD) {
		wr.wr.atomic.remote_addr = remote;
		wr.wr.atomic.compare_add = 1;
		wr.wr.atomic.rkey = run->remote_region.rkey;
	} else {
		wr.wr.rdma.remote_addr = remote;
		wr.wr.rdma.rkey = run->remote_region.rkey;
	}
	rxe_post(&run->link, &wr, &local);
}

static int transfer(void *data)
{
	struct run *run = data;
	int last = ++run->posted == run->batch;
	struct ib_uverbs_wc wc;

	run->done++;
	post(run, last);
	if (!last)
		return 0;
	run->posted = 0;
	if (rxe_ring(&run->link) < 0 || rxe_complete(&run->link, &wc) < 0)
		return -1;
	/* Of those before the last one only a failure is told. */
	if (wc.status || wc.wr_id != run->done) {
		fprintf(stderr, "rdma-rw: request %lu: status %u\n", (unsigned long)wc.wr_id, wc.status);
		errno = EIO;
		return -1;
	}
	return 0;
}

static void make_memory(const struct bench *bench, struct run *run, const struct memory_kind *kind)
{
	int access = LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;

	run->remote = memory_make(bench, kind, run->bytes);
	run->local = memory_make(bench, &memory_kinds[0], run->length);
	for (unsigned long i = 0; i < run->length; i++)
		run->local[i] = i * 31 + i / 251;
	if (run->opcode != IB_UVERBS_WR_RDMA_WRITE)
		memset(run->remote, 0, run->bytes);
	for (unsigned long i = 0; run->opcode == IB_UVERBS_WR_RDMA_READ && i < run->bytes; i++)
		run->remote[i] = i / run->length * 17 + i * 31 + i / 251;
	if (verbs_register(&run->verbs, run->remote, run->bytes, access, &run->remote_region) < 0 ||
	    verbs_register(&run->verbs, run->local, run->length, access, &run->local_region) < 0)
		fail(bench, "registration: %s", strerror(errno));
}

/* A write's data is in every block that one went to, the last read's in the local one, and each add in a sum. */
static void check(const struct bench *bench, const struct run *run)
{
	uint64_t sum = 0, word;

	switch (run->opcode) {
	case IB_UVERBS_WR_RDMA_WRITE:
		for (unsigned long i = 1; i <= run->done; i++)
			if (memcmp(run->remote + offset_of(run, i), run->local, run->length))
				fail(bench, "request %lu did not write what it should", i);
		break;
	case IB_UVERBS_WR_RDMA_READ:
		if (memcmp(run->remote + offset_of(run, run->done), run->local, run->length))
			fail(bench, "the last request did not read what it should");
		break;
	default:
		for (unsigned long i = 0; i + sizeof(word) <= run->bytes; i += sizeof(word)) {
			memcpy(&word, run->remote + i, sizeof(word));
			sum += word;
		}
		if (sum != run->done)
			fail(bench, "%lu adds made %lu", run->done, (unsigned long)sum);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = { .program = "rdma-rw", .ops = 160, .warm_up = 32 };
	struct run run = { .opcode = requests[0].opcode, .bytes = 1 << 20, .length = 64 << 10, .batch = 16 };
	const struct memory_kind *kind = &memory_kinds[0];
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":r:l:m:b:q:n:w:s:h", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			run.opcode = opcode_named(optarg);
			break;
		case 'l':
			run.length = parse_number(bench.program, "--length", optarg, 1, 1ul << 30);
			break;
		case 'm':
			kind = memory_kind(optarg);
			if (!kind)
				bad_argument(bench.program, "no such memory: '%s'", optarg);
			break;
		case 'b':
			run.bytes = parse_number(bench.program, "--bytes", optarg, 1, 1ul << 40);
			break;
		case 'q':
			run.batch = parse_number(bench.program, "--batch", optarg, 1, RXE_REQUESTS);
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
	if (bench.ops % run.batch || bench.warm_up % run.batch)
		bad_argument(bench.program, "a batch of %u does not divide %lu operations and %lu to warm up",
			     run.batch, bench.ops, bench.warm_up);
	if (run.opcode == IB_UVERBS_WR_ATOMIC_FETCH_AND_ADD)
		run.length = sizeof(uint64_t);
	if (run.length > run.bytes)
		bad_argument(bench.program, "--length is more than --bytes: %lu", run.length);
	run.blocks = run.bytes / run.length;

	run.verbs = verbs_open(&bench, "rxe");
	make_memory(&bench, &run, kind);
	run.link = rxe_connect(&bench, &run.verbs);
	bench_run(&bench, transfer, &run);
	check(&bench, &run);
	return 0;
}
