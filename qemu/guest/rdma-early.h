/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test of what is sent as soon as it may be: when the one end is connected, and the other is still about to be.
 */
#ifndef PHYR_RDMA_EARLY_H
#define PHYR_RDMA_EARLY_H

#include <pthread.h>
#include "rdma-move.h"

#define EARLY 64u

/* What it returns has gone wrong; NULL when nothing has. */
static void *send_early(void *unused)
{
	struct ibv_sge sge = { (uintptr_t)stage, EARLY, stage_mr->lkey };
	struct ibv_send_wr wr = { .sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_SEND }, *bad;

	int error;

	(void)unused;
	if (link_event(&link_, 0, RDMA_CM_EVENT_ESTABLISHED, NULL))
		return "the end that asked is not connected";
	error = ibv_post_send(link_.id[0]->qp, &wr, &bad);
	return error ? strerror(error) : NULL;
}

/* One connection, and the first message on it. */
static int connect_early(void)
{
	struct ibv_sge sge = { (uintptr_t)stage + PAGE, EARLY, stage_mr->lkey };
	struct ibv_recv_wr receive = { .sg_list = &sge, .num_sge = 1 }, *bad;
	void *gone_wrong = NULL;
	struct ibv_wc wc;
	pthread_t sender;
	int ret;

	if (link_ask(&link_, address, &pd))
		return fail("cannot ask for a connection: %s", link_.why);
	link_.patience = 5;
	ret = ibv_post_recv(link_.id[1]->qp, &receive, &bad);
	if (ret)
		return fail("ibv_post_recv: %s", strerror(ret));
	ret = pthread_create(&sender, NULL, send_early, NULL);
	if (ret)
		return fail("pthread_create: %s", strerror(ret));
	ret = link_accept(&link_) || link_event(&link_, 1, RDMA_CM_EVENT_ESTABLISHED, NULL);
	pthread_join(sender, &gone_wrong);
	if (ret)
		return fail("cannot connect: %s", link_.why);
	if (gone_wrong)
		return fail("sending the first message: %s", (char *)gone_wrong);
	if (link_wait(&link_, 1, &wc))
		return fail("receiving the first message: %s", link_.why);
	return differ("the first message", stage + PAGE, stage, EARLY);
}

static int test_early(const struct test *test)
{
	int result = PASS;

	(void)test;
	link_close(&link_);
	for (unsigned long i = 0; i < rounds * 10 && !result; i++) {
		fill(stage, 2 * PAGE);
		result = connect_early();
		link_close(&link_);
	}
	return result;
}

#endif
