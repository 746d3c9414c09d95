/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of rdma-mr share: what they say, random numbers, the connection, and regions of some memory.
 */
#ifndef PHYR_RDMA_REGION_H
#define PHYR_RDMA_REGION_H

#include <stdarg.h>
#include "rdma-link.h"
#include "rdma-memory.h"

#define STAGE (2 * MiB)
#define LARGEST (128 * KiB) /* of random transfers */
#define GUARD 64ul
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
/* Seconds that the last pin may take to go; once one has stayed, there is no use in waiting for others that long. */
static double late = 5;
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

#endif
