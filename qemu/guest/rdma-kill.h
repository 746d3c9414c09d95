/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of processes that end with regions and transfers under way.
 */
#ifndef PHYR_RDMA_KILL_H
#define PHYR_RDMA_KILL_H

#include <signal.h>
#include "rdma-use.h"

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
	is = pins_differ(before + link_pins(), late);
	return is ? fail("%ld pages stay pinned %g s after the process was killed", is, late) : PASS;
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

#endif
