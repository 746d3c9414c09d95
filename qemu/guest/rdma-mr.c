// SPDX-License-Identifier: GPL-2.0-only
/*
 * rdma-mr -a ADDRESS [-s SEED] [-r ROUNDS] [-k KILLS] [-m MIB] [-n MIB] [-f DIR] [-g FILE] [-b BAR] [-t PART]
 *
 * Memory regions of the RDMA device that has this IPv4 address: they are registered from every kind of memory, data
 * goes through them between two queue pairs of this process and is compared byte by byte, what cannot be registered is
 * refused, and whatever happens, to regions and to processes, no page stays pinned.
 *
 *   -m MIB  registers nothing larger than this (4096)
 *   -n MIB  makes no more new memory at a time than this (64): what is larger maps the same pages again and again
 *   -f DIR  files are made there; without it the kinds of memory that are files are skipped
 *   -g FILE on a hugetlbfs of 1 GiB pages: the page is in it, for the next program, too
 *   -b BAR  a file whose mapping is memory of a PCI device (/sys/bus/pci/devices/.../resource2)
 *   -t PART runs only tests whose name has this in it
 *
 * KTAP version 1 on stdout; exit status 0 when no test failed, 1 when one did, 2 for a wrong command line, 4 when the
 * device cannot be used at all.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "rdma-link.h"
#include "rdma-memory.h"

#define STAGE (2 * MiB)
#define LARGEST (128 * KiB) /* of random transfers */
#define GUARD 64ul
#define LATE 5.0 /* seconds that the last pin may take to go */
#define ALL_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ)

enum { PASS, FAIL, SKIP };

struct test {
	char name[64];
	int (*run)(const struct test *test);
	const struct kind *kind;
	unsigned long len;
};

/* A part of some memory, as the device knows it. */
struct region {
	struct memory memory;
	unsigned char *at;
	unsigned long len;
	struct ibv_mr *mr;
	uint64_t base; /* the device's address of `at` */
};

static const char *address, *bar, *part = "";
static unsigned long rounds = 6, kills = 4, max_len = 4 * GiB, max_new = 64 * MiB;
static uint64_t state;
static struct link link_;
static struct ibv_pd *pd;
static struct ibv_device_attr device;
static int is_iwarp;
/* Ordinary memory at the other end of every transfer, with a guard on both sides. */
static unsigned char *stage, *shadow;
static struct ibv_mr *stage_mr;
static char why[256];

/* --- what a test says --- */

static int say(int result, const char *format, va_list list)
{
	vsnprintf(why, sizeof(why), format, list);
	return result;
}

static int __attribute__((format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list list;
	int result;

	va_start(list, format);
	result = say(FAIL, format, list);
	va_end(list);
	return result;
}

static int __attribute__((format(printf, 1, 2))) skip(const char *format, ...)
{
	va_list list;
	int result;

	va_start(list, format);
	result = say(SKIP, format, list);
	va_end(list);
	return result;
}

/* --- random numbers, patterns --- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static uint64_t next(void)
{
	return mix(state += 0x9e3779b97f4a7c15ull);
}

/* 0 to n - 1 */
static unsigned long below(unsigned long n)
{
	return n ? next() % n : 0;
}

/* No 8 bytes are the same as others of this or another fill: what is shifted or stale shows. */
static void fill(unsigned char *to, unsigned long len)
{
	uint64_t seed = next();

	for (unsigned long i = 0; i < len; i += 8) {
		uint64_t x = mix(seed + i);

		memcpy(to + i, &x, len - i < 8 ? len - i : 8);
	}
}

/* --- the connection --- */

static long link_pins(void)
{
	long sum = 0;

	for (int end = 0; end < 2; end++)
		if (link_.flush[end])
			sum += pages_of(&link_.flushed[end], sizeof(link_.flushed[end]));
	return sum;
}

/* What is pinned beside the connection: two ends that come and go when one has failed. */
static long pinned(void)
{
	return pins() - link_pins();
}

static int connect_link(void)
{
	if (link_.id[0])
		return PASS;
	if (!link_open(&link_, address, &pd))
		return PASS;
	fail("cannot connect: %s", link_.why);
	link_close(&link_);
	return FAIL;
}

/* --- regions --- */

static int register_part(struct region *region, unsigned long offset, unsigned long len, int access)
{
	region->at = region->memory.at + offset;
	region->len = len;
	region->base = (uintptr_t)region->at;
	region->mr = ibv_reg_mr(pd, region->at, len, access);
	return region->mr ? 0 : errno;
}

static int deregister(struct region *region)
{
	int error = region->mr ? ibv_dereg_mr(region->mr) : 0;

	region->mr = NULL;
	return error;
}

static void drop(struct region *region)
{
	deregister(region);
	memory_free(&region->memory);
}

/* What the kind allows. */
static int access_of(const struct kind *kind)
{
	return kind->flags & MAY_WRITE ? ALL_ACCESS : IBV_ACCESS_REMOTE_READ;
}

/* Memory of a kind in its final state, with data in it. */
static int prepare(struct region *region, const struct kind *kind, unsigned long len, int filled)
{
	*region = (struct region) { 0 };
	if (memory_make(&region->memory, kind, len))
		return skip("%s", region->memory.why);
	if (filled)
		fill(region->memory.at, region->memory.len < STAGE * 4 ? region->memory.len : STAGE * 4);
	if (!strcmp(kind->name, "readonly") && mprotect(region->memory.map, region->memory.map_len, PROT_READ))
		return fail("mprotect: %s", strerror(errno));
	return PASS;
}

/* --- data --- */

enum op { WRITE_IN, WRITE_OUT, READ_IN, READ_OUT, SEND_IN, SEND_OUT, NR_OPS };
static const char *const op_names[] = { "write into", "write from", "read into", "read from", "receive into", "send from" };

static int goes_in(enum op op)
{
	return op == WRITE_IN || op == READ_IN || op == SEND_IN;
}

/* A range of the region as up to `most` pieces. */
static int cut(const struct region *region, unsigned long offset, unsigned long len, int most, struct ibv_sge *sges)
{
	int nr = 1 + (int)below(most);

	for (int i = 0; i < nr; i++) {
		unsigned long n = i == nr - 1 ? len : below(len);

		sges[i] = (struct ibv_sge) { region->base + offset, n, region->mr->lkey };
		/* A piece of no bytes would be one of 2^31, to some. */
		if (!n && i < nr - 1) {
			i--;
			nr--;
			continue;
		}
		offset += n;
		len -= n;
	}
	return nr;
}

/* One transfer between the region and `stage`. 0, a completion's status, or -1. */
static int transfer(enum op op, const struct region *region, unsigned long offset, unsigned long len)
{
	struct ibv_sge own[LINK_SGES], other = { (uintptr_t)stage + GUARD, len, stage_mr->lkey };
	struct ibv_send_wr wr = { .num_sge = 1, .send_flags = IBV_SEND_SIGNALED };
	struct ibv_recv_wr receive = { .num_sge = 1 }, *bad;
	int by_region = op == WRITE_OUT || op == READ_IN || op == SEND_OUT, nr, ret;
	struct ibv_wc wc;

	/* iWARP's read has one piece. */
	nr = cut(region, offset, len, op == READ_IN ? 1 : 3, own);
	wr.sg_list = by_region ? own : &other;
	wr.num_sge = by_region ? nr : 1;
	if (op == SEND_IN || op == SEND_OUT) {
		wr.opcode = IBV_WR_SEND;
		receive.sg_list = op == SEND_IN ? own : &other;
		receive.num_sge = op == SEND_IN ? nr : 1;
		ret = ibv_post_recv(link_.id[1]->qp, &receive, &bad);
		if (ret)
			return link_fault(&link_, "ibv_post_recv", ret);
		ret = link_do(&link_, &wr);
		return ret ? ret : link_wait(&link_, 1, &wc);
	}
	wr.opcode = op == WRITE_IN || op == WRITE_OUT ? IBV_WR_RDMA_WRITE : IBV_WR_RDMA_READ;
	wr.wr.rdma.remote_addr = by_region ? (uintptr_t)stage + GUARD : region->base + offset;
	wr.wr.rdma.rkey = by_region ? stage_mr->rkey : region->mr->rkey;
	ret = link_do(&link_, &wr);
	return ret || wr.opcode == IBV_WR_RDMA_READ ? ret : link_flush(&link_);
}

static int differ(const char *what, const unsigned char *is, const unsigned char *should, unsigned long len)
{
	for (unsigned long i = 0; i < len; i++)
		if (is[i] != should[i])
			return fail("%s: byte %lu of %lu is %#x, should be %#x", what, i, len, is[i], should[i]);
	return PASS;
}

/* A transfer, and a look at every byte of it and around it. */
static int checked(enum op op, const struct region *region, unsigned long offset, unsigned long len)
{
	unsigned char *there = region->at + offset, before[GUARD], after[GUARD];
	const unsigned char *end = region->memory.at + region->memory.len;
	unsigned long below_it = there - region->memory.at, above_it = end - (there + len);
	char what[96];
	int ret;

	if (connect_link())
		return FAIL;
	below_it = below_it < GUARD ? below_it : GUARD;
	above_it = above_it < GUARD ? above_it : GUARD;
	snprintf(what, sizeof(what), "%s the region at %#lx, %#lx bytes", op_names[op], offset, len);
	fill(stage, len + 2 * GUARD);
	memcpy(shadow, stage, len + 2 * GUARD);
	if (goes_in(op)) {
		memcpy(before, there - below_it, below_it);
		memcpy(after, there + len, above_it);
	} else {
		if (region->memory.kind->flags & MAY_WRITE)
			fill(there, len);
		memcpy(shadow + GUARD, there, len);
	}
	ret = transfer(op, region, offset, len);
	if (ret) {
		fail("%s: %s", what, link_.why);
		link_close(&link_);
		return FAIL;
	}
	if (goes_in(op)) {
		if (differ(what, there, shadow + GUARD, len))
			return FAIL;
		if (memcmp(before, there - below_it, below_it) || memcmp(after, there + len, above_it))
			return fail("%s: bytes beside it have changed", what);
	} else if (differ(what, stage + GUARD, shadow + GUARD, len)) {
		return FAIL;
	}
	if (memcmp(stage, shadow, GUARD) || memcmp(stage + GUARD + len, shadow + GUARD + len, GUARD))
		return fail("%s: bytes beside the other end have changed", what);
	return PASS;
}

/* A random range, more often than not over the edge of a page, or of a large one. */
static void choose(const struct region *region, unsigned long most, unsigned long *offset, unsigned long *len)
{
	static const unsigned long edges[] = { PAGE, PAGE, 64 * KiB, 2 * MiB, 64 * MiB, GiB };
	unsigned long edge = edges[below(sizeof(edges) / sizeof(edges[0]))], at;

	most = most < region->len ? most : region->len;
	*len = 1 + below(below(2) ? most : most < 2 * PAGE ? most : 2 * PAGE);
	*offset = below(region->len - *len + 1);
	if (!below(3))
		return;
	/* The edge is one of addresses: the region begins anywhere. */
	at = (((uintptr_t)region->at + *offset + edge) & -edge) - (uintptr_t)region->at;
	at -= below(*len);
	if (at <= region->len - *len)
		*offset = at;
}

static int move_some(const struct region *region, unsigned long nr)
{
	int writable = region->memory.kind->flags & MAY_WRITE;
	unsigned long offset, len;

	for (unsigned long i = 0; i < nr; i++) {
		for (int op = 0; op < NR_OPS; op++) {
			if (goes_in(op) && !writable)
				continue;
			choose(region, LARGEST, &offset, &len);
			if (checked(op, region, offset, len))
				return FAIL;
		}
	}
	return PASS;
}

/* Its first and last bytes, and all of it at once when that is not too much. */
static int move_ends(const struct region *region)
{
	unsigned long few = region->len < 100 ? region->len : 100;

	if (checked(READ_OUT, region, 0, few) || checked(READ_OUT, region, region->len - few, few))
		return FAIL;
	if (region->memory.kind->flags & MAY_WRITE &&
	    (checked(WRITE_IN, region, 0, few) || checked(WRITE_IN, region, region->len - few, few)))
		return FAIL;
	return region->len > LARGEST ? PASS : checked(READ_OUT, region, 0, region->len);
}

/* An aligned place for an atomic, every other time the last one of its page. */
static unsigned long choose_aligned(const struct region *region)
{
	unsigned long first = -(uintptr_t)region->at & 7, offset, last;

	offset = first + 8 * below((region->len - first) / 8);
	last = (((uintptr_t)region->at + offset) | (PAGE - 1)) - 7 - (uintptr_t)region->at;
	return below(2) && last + 8 <= region->len ? last : offset;
}

static int atomics(const struct region *region, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		unsigned long offset = choose_aligned(region);
		struct ibv_sge sge = { (uintptr_t)stage, 8, stage_mr->lkey };
		struct ibv_send_wr wr = { .sg_list = &sge, .num_sge = 1 };
		uint64_t old = next(), operand = next(), wanted, is, back;
		int swap = below(2), hit = below(2);

		memcpy(region->at + offset, &old, 8);
		wr.opcode = swap ? IBV_WR_ATOMIC_CMP_AND_SWP : IBV_WR_ATOMIC_FETCH_AND_ADD;
		wr.wr.atomic.remote_addr = region->base + offset;
		wr.wr.atomic.rkey = region->mr->rkey;
		wr.wr.atomic.compare_add = !swap ? operand : hit ? old : ~old;
		wr.wr.atomic.swap = operand;
		wanted = !swap ? old + operand : hit ? operand : old;
		if (connect_link())
			return FAIL;
		if (link_do(&link_, &wr)) {
			fail("atomic at %#lx: %s", offset, link_.why);
			link_close(&link_);
			return FAIL;
		}
		memcpy(&is, region->at + offset, 8);
		memcpy(&back, stage, 8);
		if (is != wanted || back != old)
			return fail("%s at %#lx of %#lx: there is %#lx and came back %#lx, should be %#lx and %#lx",
				    swap ? "compare and swap" : "fetch and add", offset, region->len, is, back, wanted, old);
	}
	return PASS;
}

/* --- tests --- */

/* Registers a part, counts its pins, looks at its ends, deregisters. What lies beside `memory` is not touched. */
static int one_register(struct region *region, unsigned long offset, unsigned long len, int moves)
{
	long before = pinned(), accounted = pins_accounted(), pages = pages_of(region->memory.at + offset, len), is;
	int error = register_part(region, offset, len, access_of(region->memory.kind)), result;

	if (error)
		return fail("registering %#lx bytes at %#lx of %s: %s", len, offset, region->memory.kind->name,
			    strerror(error));
	is = pinned() - before;
	if (is != pages)
		return fail("%ld pages are pinned, %ld are registered", is, pages);
	is = pins_accounted() - accounted;
	if (is != pages)
		return fail("%ld pages are accounted (VmPin), %ld are registered", is, pages);
	result = moves ? move_ends(region) : PASS;
	error = deregister(region);
	if (error && result == PASS)
		return fail("deregistering: %s", strerror(error));
	return result;
}

/* The same for a part with nothing beside it. */
static int one_island(const struct region *of, unsigned long offset, unsigned long len)
{
	struct region region = *of;
	int result;

	region.memory.at += offset;
	region.memory.len = len;
	result = one_register(&region, 0, len, 1);
	deregister(&region);
	return result;
}

static int test_register(const struct test *test)
{
	struct region region;
	unsigned long odd;
	int result = prepare(&region, test->kind, test->len, 0);

	if (result)
		return result;
	if (connect_link())
		return FAIL;
	result = one_register(&region, 0, test->len, 1);
	odd = 1 + below(test->len / 4 < 8 * PAGE ? test->len / 4 : 8 * PAGE);
	if (!result && test->len <= GiB)
		result = one_register(&region, odd, test->len - odd - below(odd), 1);
	drop(&region);
	return result;
}

/* Memory with a part of it registered that begins and ends anywhere. */
static int prepare_odd(struct region *region, const struct kind *kind, unsigned long len, int access)
{
	unsigned long odd = 1 + below(3 * PAGE);
	int result = prepare(region, kind, len, 1), error;

	if (result)
		return result;
	error = register_part(region, odd, len - odd - 1 - below(3 * PAGE), access);
	if (!error)
		return PASS;
	drop(region);
	return fail("registering %#lx bytes of %s: %s", len, kind->name, strerror(error));
}

static int test_data(const struct test *test)
{
	struct region region;
	int result = prepare_odd(&region, test->kind, test->len, access_of(test->kind));

	if (result)
		return result;
	printf("# %s: %s; %lu pieces in %lu pages\n", test->name, test->kind->what,
	       memory_pieces(region.at, region.len < 64 * MiB ? region.len : 64 * MiB),
	       pages_of(region.at, region.len < 64 * MiB ? region.len : 64 * MiB));
	result = move_some(&region, rounds);
	for (int op = 0; !result && op < NR_OPS && region.len <= MiB; op++)
		if (!goes_in(op) || test->kind->flags & MAY_WRITE)
			result = checked(op, &region, 0, region.len);
	drop(&region);
	return result;
}

static int test_atomic(const struct test *test)
{
	struct region region;
	int result;

	if (device.atomic_cap == IBV_ATOMIC_NONE)
		return skip("the device has no atomic operations");
	result = prepare_odd(&region, test->kind, test->len, ALL_ACCESS | IBV_ACCESS_REMOTE_ATOMIC);
	if (result)
		return result;
	result = atomics(&region, rounds * 4);
	drop(&region);
	return result;
}

/* The device's addresses of a region need not be those of the process. */
static int test_iova(const struct test *test)
{
	struct region region;
	uint64_t base;
	int result;

	if (is_iwarp)
		return skip("iWARP's regions have the addresses of the process");
	result = prepare(&region, test->kind, test->len, 1);
	if (result)
		return result;
	for (int i = 0; i < 3 && !result; i++) {
		unsigned long offset = below(4 * PAGE), len = test->len - offset - below(4 * PAGE);

		/* The place in a page is kept; the second time the region begins in page 0. */
		base = (i == 1 ? 0 : (next() >> 20) & -PAGE) | offset % PAGE;
		region.at = region.memory.at + offset;
		region.len = len;
		region.mr = ibv_reg_mr_iova(pd, region.at, len, base, ALL_ACCESS);
		region.base = base;
		if (!region.mr)
			result = fail("registering at %#lx: %s", base, strerror(errno));
		else
			result = move_ends(&region) || move_some(&region, rounds) ? FAIL : PASS;
		deregister(&region);
	}
	drop(&region);
	return result;
}

/* An operation that has to be refused, with everything left as it was. */
static int refused(const char *what, struct ibv_send_wr *wr, const struct region *region)
{
	unsigned long len = region->memory.len < STAGE ? region->memory.len : STAGE;
	const unsigned char *at = region->memory.at;
	int ret;

	if (connect_link())
		return FAIL;
	memcpy(shadow, at, len);
	/* An iWARP connection that is terminated may take what is asked of it just then along, without a word. */
	if (is_iwarp)
		link_.patience = 1;
	ret = link_do(&link_, wr);
	if (!ret)
		ret = link_flush(&link_);
	if (ret < 0 && !is_iwarp)
		fail("%s: %s", what, link_.why);
	link_close(&link_);
	if (ret < 0 && !is_iwarp)
		return FAIL;
	if (!ret)
		return fail("%s was carried out", what);
	/* iWARP looks at each segment as it comes: what precedes the first bad one has arrived. */
	if (is_iwarp)
		memcpy(shadow + (region->at - at), region->at, region->len);
	return differ(what, at, shadow, len);
}

static int test_bounds(const struct test *test)
{
	struct ibv_send_wr wr = { .num_sge = 1 };
	struct region region;
	struct ibv_sge sge;
	int result = prepare(&region, test->kind, test->len, 1);

	if (result)
		return result;
	/* What lies beside it is in the same mapping: only the region's limits are in the way. */
	if (register_part(&region, PAGE + 100, test->len - 2 * PAGE - 300, ALL_ACCESS)) {
		result = fail("registering: %s", strerror(errno));
		goto out;
	}
	sge = (struct ibv_sge) { (uintptr_t)stage, 64, stage_mr->lkey };
	wr.sg_list = &sge;
	wr.wr.rdma.rkey = region.mr->rkey;
	fill(stage, 2 * PAGE);
	for (int i = 0; i < 5 && !result; i++) {
		static const char *const what[] = { "a byte after the end", "a byte before the start",
						    "more than there is, from the start", "far behind the end",
						    "around the end of all addresses" };
		uint64_t end = region.base + region.len;
		const uint64_t at[] = { end - 63, region.base - 1, region.base, end + GiB, region.base - 32 };

		sge.length = i == 2 ? region.len + 1 : 64;
		sge.length = sge.length < STAGE ? sge.length : STAGE;
		wr.wr.rdma.remote_addr = at[i];
		wr.opcode = IBV_WR_RDMA_WRITE;
		result = refused(what[i], &wr, &region);
		wr.opcode = IBV_WR_RDMA_READ;
		result = result ? result : refused(what[i], &wr, &region);
	}
	/* And where the region is the nearer end. */
	sge = (struct ibv_sge) { region.base + region.len - 63, 64, region.mr->lkey };
	wr.wr.rdma.remote_addr = (uintptr_t)stage;
	wr.wr.rdma.rkey = stage_mr->rkey;
	wr.opcode = IBV_WR_RDMA_READ;
	result = result ? result : refused("reading into a byte after the end", &wr, &region);
out:
	drop(&region);
	return result;
}

static int test_rights(const struct test *test)
{
	struct ibv_send_wr wr = { .num_sge = 1 };
	struct region region;
	struct ibv_sge sge;
	int result = prepare_odd(&region, test->kind, test->len, IBV_ACCESS_REMOTE_READ);

	if (result)
		return result;
	sge = (struct ibv_sge) { (uintptr_t)stage, 64, stage_mr->lkey };
	wr.sg_list = &sge;
	wr.opcode = IBV_WR_RDMA_WRITE;
	wr.wr.rdma.remote_addr = region.base + PAGE;
	wr.wr.rdma.rkey = region.mr->rkey;
	fill(stage, 64);
	result = refused("writing without the right to", &wr, &region);
	if (!result) {
		sge = (struct ibv_sge) { region.base + PAGE, 64, region.mr->lkey };
		wr.opcode = IBV_WR_RDMA_READ;
		wr.wr.rdma.remote_addr = (uintptr_t)stage;
		wr.wr.rdma.rkey = stage_mr->rkey;
		result = refused("reading into what may only be read", &wr, &region);
	}
	if (!result) {
		uint32_t rkey = region.mr->rkey;
		uint64_t base = region.base;

		deregister(&region);
		sge = (struct ibv_sge) { (uintptr_t)stage, 64, stage_mr->lkey };
		wr.opcode = IBV_WR_RDMA_READ;
		wr.wr.rdma.remote_addr = base + PAGE;
		wr.wr.rdma.rkey = rkey;
		result = refused("reading through a key of a region that is gone", &wr, &region);
	}
	drop(&region);
	return result;
}

/* What is registered stays, where the process has given the addresses away. */
static int test_munmap(const struct test *test)
{
	struct region region;
	unsigned long len;
	int result = prepare_odd(&region, test->kind, test->len, access_of(test->kind));

	if (result)
		return result;
	if (connect_link()) {
		drop(&region);
		return FAIL;
	}
	len = region.len < LARGEST ? region.len : LARGEST;
	memcpy(shadow, region.at + region.len - len, len);
	memory_free(&region.memory);
	if (transfer(READ_OUT, &region, region.len - len, len)) {
		result = fail("reading: %s", link_.why);
		link_close(&link_);
	} else {
		result = differ("reading what is no longer mapped", stage + GUARD, shadow, len);
	}
	drop(&region);
	return result;
}

/* A child has its own copy: the device goes on with the parent's pages. */
static int test_fork(const struct test *test)
{
	struct region region;
	unsigned long len = 64 * KiB;
	pid_t child;
	int result = prepare_odd(&region, test->kind, test->len, ALL_ACCESS), status;

	if (result)
		return result;
	child = fork();
	if (child == 0) {
		memset(region.at, 0, region.len);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		result = fail("fork: %s", strerror(errno));
	result = result ? result : checked(READ_OUT, &region, region.len - len, len);
	result = result ? result : checked(WRITE_IN, &region, 0, len);
	result = result ? result : move_some(&region, 1);
	drop(&region);
	return result;
}

/* Regions of the same memory, one over the other, that come and go in any order. */
static int test_many(const struct test *test)
{
	enum { MANY = 48 };
	struct region region, one[MANY] = { 0 };
	long before, wanted = 0;
	int result = prepare(&region, test->kind, test->len, 1);

	if (result)
		return result;
	before = pinned();
	for (unsigned long step = 0; step < MANY * 3 && !result; step++) {
		struct region *now = &one[below(MANY)];
		long is;

		if (now->mr) {
			wanted -= pages_of(now->at, now->len);
			deregister(now);
		} else {
			unsigned long offset = below(test->len - 1), len = 1 + below(test->len - offset);

			now->memory = region.memory;
			if (register_part(now, offset, len, ALL_ACCESS)) {
				result = fail("registering %#lx bytes at %#lx: %s", len, offset, strerror(errno));
				break;
			}
			wanted += pages_of(now->at, now->len);
			if (step % 8 == 0)
				result = move_ends(now);
		}
		is = pins_differ(before + link_pins() + wanted, LATE);
		if (is && !result)
			result = fail("after %lu steps %ld pages more are pinned than are registered", step + 1, is);
	}
	for (int i = 0; i < MANY; i++)
		deregister(&one[i]);
	drop(&region);
	return result;
}

/* Registration of a range has to fail with this error (0: with any), and to leave nothing behind. */
static int no_region(const char *what, void *at, unsigned long len, int access, int error)
{
	long before = pinned(), accounted = pins_accounted(), is;
	struct ibv_mr *mr = ibv_reg_mr(pd, at, len, access);
	int got = mr ? 0 : errno;

	if (mr)
		ibv_dereg_mr(mr);
	if (!got)
		return fail("%s: it was registered, should be: %s", what, strerror(error));
	if (error && got != error)
		return fail("%s: %s, should be: %s", what, strerror(got), strerror(error));
	is = pins_differ(before + link_pins(), 0);
	if (is)
		return fail("%s: %ld pages stay pinned", what, is);
	is = pins_accounted() - accounted;
	return is ? fail("%s: %ld pages stay accounted", what, is) : PASS;
}

static int test_hole(const struct test *test)
{
	/* The kernel pins up to 512 pages at a time: in the first ones, between, later, and the last page. */
	static const unsigned long places[] = { 0, 1, 300, 511, 512, 513, 700, 1023 };
	struct region region;
	int result = PASS;

	for (unsigned long i = 0; !result && i < sizeof(places) / sizeof(places[0]); i++) {
		char what[64];

		result = prepare(&region, test->kind, 4 * MiB, 0);
		if (result)
			return result;
		snprintf(what, sizeof(what), "nothing at page %lu of 1024", places[i]);
		munmap(region.memory.at + places[i] * PAGE, PAGE);
		result = no_region(what, region.memory.at, 4 * MiB, ALL_ACCESS, EFAULT);
		if (!result) {
			unsigned long after = (places[i] + 1) * PAGE;

			/* Around it all is well. */
			if (places[i])
				result = one_island(&region, 0, places[i] * PAGE);
			if (!result && after < 4 * MiB)
				result = one_island(&region, after, 4 * MiB - after);
		}
		drop(&region);
	}
	return result;
}

static int test_guarded(const struct test *test)
{
	struct region region;
	int result = prepare(&region, test->kind, 4 * MiB, 0);

	if (result)
		return result;
	mprotect(region.memory.at + 600 * PAGE, PAGE, PROT_NONE);
	result = no_region("a page without any right", region.memory.at, 4 * MiB, IBV_ACCESS_REMOTE_READ, EFAULT);
	mprotect(region.memory.at + 600 * PAGE, PAGE, PROT_READ);
	if (!result)
		result = no_region("a read-only page", region.memory.at, 4 * MiB, ALL_ACCESS, EFAULT);
	if (!result)
		result = one_island(&region, 0, 600 * PAGE);
	drop(&region);
	return result;
}

static int test_truncated(const struct test *test)
{
	int fd = memfd_create("short", MFD_CLOEXEC), result;
	unsigned char *at;

	(void)test;
	if (fd < 0 || ftruncate(fd, 600 * PAGE) < 0)
		return fail("memfd: %s", strerror(errno));
	at = mmap(NULL, 4 * MiB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return fail("mmap: %s", strerror(errno));
	result = no_region("a file that ends before its mapping", at, 4 * MiB, ALL_ACCESS, EFAULT);
	munmap(at, 4 * MiB);
	return result;
}

static int test_unwritable(const struct test *test)
{
	struct region region;
	int result = prepare(&region, test->kind, test->len, 0);

	if (result)
		return result;
	result = no_region(test->kind->what, region.memory.at, test->len, ALL_ACCESS, EFAULT);
	drop(&region);
	return result;
}

static int test_nonsense(const struct test *test)
{
	unsigned char *at = stage;
	int result;

	(void)test;
	result = no_region("no bytes", at, 0, ALL_ACCESS, EINVAL);
	if (!result)
		result = no_region("more than all addresses", at, -4096ul, ALL_ACCESS, 0);
	if (!result)
		result = no_region("remote writing without local writing", at, PAGE, IBV_ACCESS_REMOTE_WRITE, EINVAL);
	if (!result)
		result = no_region("the kernel's addresses", (void *)0xffff800000000000ul, PAGE, ALL_ACCESS, EFAULT);
	return result;
}

/* Memory that has no page of its own: a device's. */
static int no_pages(const char *path, off_t offset)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), result;
	void *at;

	if (fd < 0)
		return skip("%s: %s", path, strerror(errno));
	at = mmap(NULL, 64 * KiB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	close(fd);
	if (at == MAP_FAILED)
		return skip("mapping %s: %s", path, strerror(errno));
	result = no_region(path, at, 64 * KiB, ALL_ACCESS, EFAULT);
	if (!result)
		result = no_region(path, at, 64 * KiB, IBV_ACCESS_REMOTE_READ, EFAULT);
	munmap(at, 64 * KiB);
	return result;
}

static int test_devmem(const struct test *test)
{
	(void)test;
	/* The firmware's last 64 KiB below 1 MiB. */
	return no_pages("/dev/mem", 0xf0000);
}

static int test_bar(const struct test *test)
{
	(void)test;
	return bar ? no_pages(bar, 0) : skip("no memory of a PCI device was given");
}

/* CAP_IPC_LOCK of this thread, on or off. */
static int set_ipc_lock(int on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	if (on)
		data[0].effective |= 1u << CAP_IPC_LOCK;
	else
		data[0].effective &= ~(1u << CAP_IPC_LOCK);
	return syscall(SYS_capset, &header, data);
}

/* No data here: uverbs takes no work from who has changed his rights. */
static int memlock(struct region *region)
{
	long room = 64, others = pins_accounted();
	struct rlimit limit = { .rlim_cur = (others + room) * PAGE, .rlim_max = RLIM_INFINITY };
	struct region second = *region;
	int result, error;

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return fail("setrlimit: %s", strerror(errno));
	result = no_region("more than the limit", region->memory.at, (room + 1) * PAGE, ALL_ACCESS, ENOMEM);
	if (result)
		return result;
	result = one_register(region, 0, room * PAGE, 0);
	if (result)
		return result;
	error = register_part(region, 100, 40 * PAGE, ALL_ACCESS);
	if (error)
		return fail("41 pages of %ld: %s", room, strerror(error));
	result = no_region("the second region above the limit", region->memory.at, 24 * PAGE, ALL_ACCESS, ENOMEM);
	if (!result)
		result = one_register(&second, 0, 23 * PAGE, 0);
	deregister(&second);
	if (!result && deregister(region) == 0)
		result = one_register(region, 0, room * PAGE, 0);
	if (result)
		return result;
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return fail("setrlimit: %s", strerror(errno));
	return no_region("no locked memory at all", region->memory.at, PAGE, ALL_ACCESS, EPERM);
}

static int test_memlock(const struct test *test)
{
	struct rlimit old;
	struct region region;
	int result = prepare(&region, test->kind, MiB, 0);

	if (result)
		return result;
	if (getrlimit(RLIMIT_MEMLOCK, &old) || set_ipc_lock(0)) {
		result = skip("cannot give up CAP_IPC_LOCK: %s", strerror(errno));
	} else {
		result = memlock(&region);
		set_ipc_lock(1);
		setrlimit(RLIMIT_MEMLOCK, &old);
	}
	drop(&region);
	return result;
}

/* --- processes that are killed --- */

/* The child: regions, and transfers from and to them until it is killed. Says so on stdout when they are under way. */
static int be_killed(void)
{
	static const char *const names[] = { "4k", "thp", "hugetlb-2m", "shmem" };
	enum { NR = sizeof(names) / sizeof(names[0]), FLYING = 16, PIECE = 64 * KiB };
	struct region region[NR];
	unsigned long nr = 0, done = 0, flying = 0;

	if (connect_link())
		return 1;
	for (unsigned long i = 0; i < NR; i++)
		for (unsigned long k = 0; k < NR_KINDS; k++)
			if (!strcmp(kinds[k].name, names[i]) &&
			    prepare_odd(&region[nr], &kinds[k], 8 * MiB, ALL_ACCESS) == PASS)
				nr++;
	if (!nr)
		return 1;
	for (;;) {
		struct ibv_wc wc;

		while (flying < FLYING) {
			struct region *one = &region[below(nr)];
			struct ibv_sge sge = { (uintptr_t)stage + below(MiB), PIECE, stage_mr->lkey };
			struct ibv_send_wr wr = { .sg_list = &sge, .num_sge = 1, .send_flags = IBV_SEND_SIGNALED }, *bad;

			wr.opcode = below(2) ? IBV_WR_RDMA_WRITE : IBV_WR_RDMA_READ;
			wr.wr.rdma.remote_addr = one->base + below(one->len - PIECE);
			wr.wr.rdma.rkey = one->mr->rkey;
			if (ibv_post_send(link_.id[0]->qp, &wr, &bad))
				return 1;
			flying++;
		}
		if (link_wait(&link_, 0, &wc)) {
			fail("%s", link_.why);
			return 1;
		}
		flying--;
		if (++done == FLYING && write(STDOUT_FILENO, "ready\n", 6) != 6)
			return 1;
	}
}

static int kill_one(char *const arguments[])
{
	long before = pinned(), is;
	int ends[2], status;
	char said[256];
	ssize_t n;
	pid_t child;

	if (pipe(ends))
		return fail("pipe: %s", strerror(errno));
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv("/proc/self/exe", arguments);
		_exit(1);
	}
	close(ends[1]);
	n = child < 0 ? -1 : read(ends[0], said, sizeof(said) - 1);
	if (n <= 0 || strncmp(said, "ready", 5)) {
		said[n > 0 ? n : 0] = 0;
		said[strcspn(said, "\n")] = 0;
		close(ends[0]);
		if (child > 0)
			kill(child, SIGKILL), waitpid(child, &status, 0);
		return fail("the process that is to be killed: %s", said);
	}
	is = pinned() - before;
	usleep(below(20000));
	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return fail("it ended by itself, status %#x", status);
	close(ends[0]);
	if (is < 4096)
		return fail("only %ld pages were pinned", is);
	is = pins_differ(before + link_pins(), LATE);
	return is ? fail("%ld pages stay pinned %g s after the process was killed", is, LATE) : PASS;
}

static int test_kill(const struct test *test)
{
	char seed[32];
	char *arguments[] = { "rdma-mr", "-a", (char *)address, "-s", seed, "-K", NULL };
	int result = PASS;

	(void)test;
	if (!kills)
		return skip("-k 0");
	for (unsigned long i = 0; i < kills && !result; i++) {
		snprintf(seed, sizeof(seed), "%lu", (unsigned long)(next() >> 1));
		result = kill_one(arguments);
	}
	return result;
}

/* --- all of it --- */

static struct test tests[128];
static int nr_tests;

static void add(int (*run)(const struct test *test), const struct kind *kind, unsigned long len, const char *format, ...)
{
	struct test *test = &tests[nr_tests];
	va_list list;

	va_start(list, format);
	vsnprintf(test->name, sizeof(test->name), format, list);
	va_end(list);
	if (!strstr(test->name, part))
		return;
	test->run = run;
	test->kind = kind;
	test->len = len;
	nr_tests++;
}

static const char *size_name(unsigned long len)
{
	static char name[32];

	if (len >= GiB)
		snprintf(name, sizeof(name), "%luG", len / GiB);
	else if (len >= MiB)
		snprintf(name, sizeof(name), "%luM", len / MiB);
	else
		snprintf(name, sizeof(name), "%luK", len / KiB);
	return name;
}

static void list_tests(void)
{
	static const unsigned long sizes[] = { 4 * KiB, 2 * MiB, 64 * MiB, GiB, 2 * GiB, 4 * GiB };
	const struct kind *small = &kinds[0];

	for (unsigned long k = 0; k < NR_KINDS; k++) {
		const struct kind *kind = &kinds[k];
		unsigned long most = kind->flags & ALIASED ? max_len : max_len < max_new ? max_len : max_new;

		for (unsigned long i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			/* A GiB of small pages takes as long as everything else together. */
			if (sizes[i] > (kind->page > PAGE || max_new >= GiB ? most : 64 * MiB))
				continue;
			/* Files and what becomes read-only are the same small pages. */
			if (sizes[i] > 2 * MiB && kind > small && kind->page == PAGE && !(kind->flags & ALIASED))
				continue;
			add(test_register, kind, sizes[i], "register-%s-%s", kind->name, size_name(sizes[i]));
		}
	}
	for (unsigned long k = 0; k < NR_KINDS; k++) {
		add(test_data, &kinds[k], 8 * MiB, "data-%s", kinds[k].name);
		add(test_data, &kinds[k], 256 * KiB, "data-%s-whole", kinds[k].name);
		if (kinds[k].flags & MAY_WRITE)
			add(test_atomic, &kinds[k], 4 * MiB, "atomic-%s", kinds[k].name);
	}
	for (unsigned long k = 0; k < NR_KINDS; k++)
		if (kinds[k].page == GiB && max_len >= 4 * GiB)
			add(test_data, &kinds[k], 4 * GiB, "data-%s-4G", kinds[k].name);
	add(test_iova, small, 4 * MiB, "iova-%s", small->name);
	add(test_iova, &kinds[2], 4 * MiB, "iova-%s", kinds[2].name);
	add(test_bounds, small, MiB, "bounds");
	add(test_rights, small, MiB, "rights");
	for (unsigned long k = 0; k < NR_KINDS; k++)
		add(test_munmap, &kinds[k], 4 * MiB, "munmap-%s", kinds[k].name);
	add(test_fork, small, 4 * MiB, "fork-%s", small->name);
	add(test_fork, &kinds[2], 4 * MiB, "fork-%s", kinds[2].name);
	add(test_many, small, MiB, "many-%s", small->name);
	add(test_many, &kinds[2], 4 * MiB, "many-%s", kinds[2].name);
	add(test_hole, small, 4 * MiB, "hole-%s", small->name);
	add(test_hole, &kinds[2], 4 * MiB, "hole-%s", kinds[2].name);
	add(test_guarded, small, 4 * MiB, "guarded-%s", small->name);
	add(test_guarded, &kinds[2], 4 * MiB, "guarded-%s", kinds[2].name);
	add(test_truncated, small, 4 * MiB, "truncated");
	for (unsigned long k = 0; k < NR_KINDS; k++)
		if (!(kinds[k].flags & MAY_WRITE))
			add(test_unwritable, &kinds[k], MiB, "unwritable-%s", kinds[k].name);
	add(test_nonsense, small, 0, "nonsense");
	add(test_memlock, small, MiB, "memlock");
	add(test_devmem, small, 0, "devmem");
	add(test_bar, small, 0, "bar");
	add(test_kill, small, 0, "kill");
}

/* One test, and what it has left behind. */
static int run_one(const struct test *test, int number)
{
	double start = link_now();
	long before, left;
	int result;

	why[0] = 0;
	result = connect_link();
	before = pinned();
	if (!result)
		result = test->run(test);
	left = pins_differ(before + link_pins(), LATE);
	if (left && result != FAIL)
		result = fail("%ld pages stay pinned", left);
	else if (left)
		printf("# and %ld pages stay pinned\n", left);
	printf("# %s: %.2f s\n", test->name, link_now() - start);
	if (result == SKIP)
		printf("ok %d %s # SKIP %s\n", number, test->name, why);
	else if (result == FAIL)
		printf("# %s: %s\nnot ok %d %s\n", test->name, why, number, test->name);
	else
		printf("ok %d %s\n", number, test->name);
	fflush(stdout);
	return result == FAIL;
}

/* Everything that is pinned from the beginning to the end. */
static int set_up(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	/* siw looks at the limit even where CAP_IPC_LOCK makes it void. */
	if (setrlimit(RLIMIT_MEMLOCK, &all))
		return skip("setrlimit: %s", strerror(errno));
	stage = mmap(NULL, STAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	shadow = mmap(NULL, STAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (stage == MAP_FAILED || shadow == MAP_FAILED)
		return skip("no memory: %s", strerror(errno));
	if (connect_link())
		return SKIP;
	if (ibv_query_device(link_.id[0]->verbs, &device))
		return skip("ibv_query_device: %s", strerror(errno));
	is_iwarp = link_.id[0]->verbs->device->transport_type == IBV_TRANSPORT_IWARP;
	stage_mr = ibv_reg_mr(pd, stage, STAGE, ALL_ACCESS);
	return stage_mr ? PASS : skip("registering the staging area: %s", strerror(errno));
}

int main(int argc, char *argv[])
{
	int option, failed = 0, to_be_killed = 0;
	unsigned long seed = 1;

	while ((option = getopt(argc, argv, "a:s:r:k:m:n:f:g:b:t:K")) != -1) {
		switch (option) {
		case 'a': address = optarg; break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 'r': rounds = strtoul(optarg, NULL, 0); break;
		case 'k': kills = strtoul(optarg, NULL, 0); break;
		case 'm': max_len = strtoul(optarg, NULL, 0) * MiB; break;
		case 'n': max_new = strtoul(optarg, NULL, 0) * MiB; break;
		case 'f': file_dir = optarg; break;
		case 'g': gigantic_file = optarg; break;
		case 'b': bar = optarg; break;
		case 't': part = optarg; break;
		case 'K': to_be_killed = 1; break;
		default: return 2;
		}
	}
	if (!address || optind != argc) {
		fprintf(stderr, "usage: rdma-mr -a ADDRESS [-s SEED] [-r ROUNDS] [-k KILLS] [-m MIB] [-n MIB] [-f DIR]\n"
			"               [-g FILE] [-b BAR] [-t PART]\n");
		return 2;
	}
	state = seed;
	if (to_be_killed) {
		if (set_up() == PASS)
			be_killed();
		printf("%s\n", why);
		return 1;
	}
	list_tests();
	printf("KTAP version 1\n");
	if (set_up()) {
		printf("1..0 # SKIP %s\n", why);
		return 4;
	}
	printf("1..%d\n# %s (%s), seed %lu\n", nr_tests, ibv_get_device_name(link_.id[0]->verbs->device),
	       is_iwarp ? "iWARP" : "InfiniBand", seed);
	for (int i = 0; i < nr_tests; i++)
		failed += run_one(&tests[i], i + 1);
	return failed ? 1 : 0;
}
