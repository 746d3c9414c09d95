/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data through a region, by every operation, with a look at each byte that moves and at those beside it.
 */
#ifndef PHYR_RDMA_MOVE_H
#define PHYR_RDMA_MOVE_H

#include "rdma-region.h"

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

#endif
