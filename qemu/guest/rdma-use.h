/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of regions that are used as they should be: registered, moved through, kept while the process changes its memory.
 */
#ifndef PHYR_RDMA_USE_H
#define PHYR_RDMA_USE_H

#include <sys/wait.h>
#include "rdma-move.h"

/*
 * Waits until a region is gone that was deregistered. siw lets go of it with its last reference, and the thread that
 * has answered a read has one until a moment after the data is there.
 */
static int gone(long before, long accounted)
{
	long left = pins_differ(before + link_pins(), late), is;

	if (left)
		return fail("%ld pages stay pinned after deregistering", left);
	/* ib_umem_release() first releases the pages, then says so here. */
	for (int tries = 0; (is = pins_accounted() - accounted) != 0 && tries < 50; tries++)
		usleep(20000);
	return is ? fail("%ld pages stay accounted after deregistering", is) : PASS;
}

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
	return result == PASS ? gone(before, accounted) : result;
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

/* Given back as soon as it has been read into: whatever the driver still has of it then is its own business. */
static int test_release(const struct test *test)
{
	struct region region;
	int result = prepare(&region, test->kind, test->len, 0);

	if (result)
		return result;
	for (unsigned long i = 0; i < rounds * 10 && !result; i++) {
		long before, accounted;

		if (connect_link())
			result = FAIL;
		before = pinned();
		accounted = pins_accounted();
		if (!result && register_part(&region, 0, test->len, ALL_ACCESS))
			result = fail("registering: %s", strerror(errno));
		if (!result && transfer(READ_IN, &region, below(test->len - 64), 1 + below(64))) {
			result = fail("reading into it: %s", link_.why);
			link_close(&link_);
		}
		deregister(&region);
		result = result ? result : gone(before, accounted);
	}
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
		is = pins_differ(before + link_pins() + wanted, late);
		if (is && !result)
			result = fail("after %lu steps %ld pages more are pinned than are registered", step + 1, is);
	}
	for (int i = 0; i < MANY; i++)
		deregister(&one[i]);
	drop(&region);
	return result;
}

#endif
