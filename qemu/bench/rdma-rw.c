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
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_rxe.h>
#include "phyr-memory.h"
#include "phyr-verbs.h"

enum { MAX_BATCH = 128, COMPLETIONS = 256, READS_AT_ONCE = 16 };

/* include/rdma/ib_verbs.h, and no header for user space. */
enum { STATE_INIT = 1, STATE_RTR, STATE_RTS };
enum {
	QP_STATE = 1 << 0,
	QP_ACCESS = 1 << 3,
	QP_PKEY_INDEX = 1 << 4,
	QP_PORT = 1 << 5,
	QP_AV = 1 << 7,
	QP_PATH_MTU = 1 << 8,
	QP_TIMEOUT = 1 << 9,
	QP_RETRY_CNT = 1 << 10,
	QP_RNR_RETRY = 1 << 11,
	QP_RQ_PSN = 1 << 12,
	QP_MAX_RD_ATOMIC = 1 << 13,
	QP_MIN_RNR_TIMER = 1 << 15,
	QP_SQ_PSN = 1 << 16,
	QP_MAX_DEST_RD_ATOMIC = 1 << 17,
	QP_DEST_QPN = 1 << 20,
};
enum { MTU_4096 = 5, SEND_SIGNALED = 2, GID_ROCE_V2_WAIT_MS = 2000 };

struct request {
	const char *name, *what;
	uint32_t opcode;
};

static const struct request requests[] = {
	{ "write", "RDMA write", IB_UVERBS_WR_RDMA_WRITE },
	{ "read", "RDMA read", IB_UVERBS_WR_RDMA_READ },
	{ "fetch-add", "atomic add, of 8 bytes", IB_UVERBS_WR_ATOMIC_FETCH_AND_ADD },
};

struct queue_pair {
	uint32_t handle, number;
	struct rxe_queue_buf *sends;
};

struct run {
	struct verbs verbs;
	const struct request *request;
	unsigned char *local, *remote;
	unsigned long bytes, message, blocks;
	struct region local_region, remote_region;
	unsigned int batch;
	int channel;
	uint32_t cq, posted, sequence;
	unsigned long done; /* requests since the start */
	struct rxe_queue_buf *completions;
	struct queue_pair pair[2];
};

static const char help[] =
	"usage: rdma-rw [OPTION]... CASE\n"
	"\n"
	"Transfers data by RDMA from one queue pair of an rxe device to another one, in\n"
	"one marked region.\n"
	"\n"
	"-r, --request NAME  write, read, fetch-add (write)\n"
	"-l, --length N      bytes of a request (64k)\n"
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

static const struct request *request_named(const char *name)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(requests[i].name, name))
			return &requests[i];
	bad_argument("rdma-rw", "no such request: '%s'", name);
}

/* Where the request of this number goes: a prime apart from the one before it. */
static unsigned long offset_of(const struct run *run, unsigned long number)
{
	return number * 7919 % run->blocks * run->message;
}

static void post(struct run *run, int signaled)
{
	struct rxe_queue_buf *queue = run->pair[0].sends;
	uint32_t at = queue->producer_index;
	struct rxe_send_wqe *wqe = (void *)(queue->data + ((size_t)at << queue->log2_elem_size));
	uint64_t remote = (uintptr_t)run->remote + offset_of(run, run->done);

	memset(wqe, 0, sizeof(*wqe) + sizeof(struct rxe_sge));
	wqe->wr.wr_id = run->done;
	wqe->wr.opcode = run->request->opcode;
	wqe->wr.send_flags = signaled ? SEND_SIGNALED : 0;
	if (run->request->opcode == IB_UVERBS_WR_ATOMIC_FETCH_AND_ADD) {
		wqe->wr.wr.atomic.remote_addr = remote;
		wqe->wr.wr.atomic.compare_add = 1;
		wqe->wr.wr.atomic.rkey = run->remote_region.rkey;
	} else {
		wqe->wr.wr.rdma.remote_addr = remote;
		wqe->wr.wr.rdma.rkey = run->remote_region.rkey;
	}
	wqe->iova = remote;
	wqe->ssn = run->sequence++;
	wqe->dma.length = wqe->dma.resid = run->message;
	wqe->dma.num_sge = 1;
	wqe->dma.sge[0] = (struct rxe_sge){ (uintptr_t)run->local, run->message, run->local_region.lkey };
	__atomic_store_n(&queue->producer_index, (at + 1) & queue->index_mask, __ATOMIC_RELEASE);
}

static int ring(const struct run *run)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response;
		uint32_t qp_handle, wr_count, sge_count, wqe_size;
	} ask = { .qp_handle = run->pair[0].handle, .wqe_size = sizeof(struct ib_uverbs_send_wr) };
	struct ib_uverbs_post_send_resp got;

	return verbs_ask(run->verbs.fd, IB_USER_VERBS_CMD_POST_SEND, &ask, sizeof(ask), &got, sizeof(got));
}

static int want_event(const struct run *run)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_req_notify_cq notify;
	} ask = { .notify = { .cq_handle = run->cq } };

	return verbs_write(run->verbs.fd, IB_USER_VERBS_CMD_REQ_NOTIFY_CQ, &ask, sizeof(ask), 0);
}

/* Sleeps until the batch's last request is done; -1 when it or another one failed. */
static int wait_for_last(struct run *run)
{
	struct rxe_queue_buf *queue = run->completions;
	struct ib_uverbs_comp_event_desc event;
	const struct ib_uverbs_wc *wc;
	uint32_t at;

	if (read(run->channel, &event, sizeof(event)) != sizeof(event))
		return -1;
	at = queue->consumer_index;
	if (__atomic_load_n(&queue->producer_index, __ATOMIC_ACQUIRE) == at) {
		errno = EPROTO;
		return -1;
	}
	wc = (const void *)(queue->data + ((size_t)at << queue->log2_elem_size));
	if (wc->status || wc->wr_id != run->done) {
		fprintf(stderr, "request %lu: status %u\n", (unsigned long)wc->wr_id, wc->status);
		errno = EIO;
		return -1;
	}
	__atomic_store_n(&queue->consumer_index, (at + 1) & queue->index_mask, __ATOMIC_RELEASE);
	return 0;
}

static int transfer(void *data)
{
	struct run *run = data;
	int last = ++run->posted == run->batch;

	/* Counted from 1, so that a remote block is not at its start by chance. */
	run->done++;
	post(run, last);
	if (!last)
		return 0;
	run->posted = 0;
	if (want_event(run) < 0 || ring(run) < 0)
		return -1;
	return wait_for_last(run);
}

static void *map_queue(const struct bench *bench, const struct verbs *verbs, const struct mminfo *info)
{
	void *at = mmap(NULL, info->size, PROT_READ | PROT_WRITE, MAP_SHARED, verbs->fd, info->offset);

	if (at == MAP_FAILED)
		fail(bench, "cannot map a queue of %s: %s", verbs->device, strerror(errno));
	return at;
}

static void make_completions(const struct bench *bench, struct run *run)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response;
	} ask_channel = { 0 };
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response, user_handle;
		uint32_t cqe, comp_vector;
		int32_t comp_channel;
		uint32_t reserved;
	} ask = { .cqe = COMPLETIONS };
	struct ib_uverbs_create_comp_channel_resp channel;
	struct {
		uint32_t cq_handle, cqe;
		struct mminfo info;
	} got;
	int fd = run->verbs.fd;

	if (verbs_ask(fd, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &ask_channel, sizeof(ask_channel), &channel,
		      sizeof(channel)) < 0)
		fail(bench, "no completion channel: %s", strerror(errno));
	run->channel = ask.comp_channel = channel.fd;
	if (verbs_ask(fd, IB_USER_VERBS_CMD_CREATE_CQ, &ask, sizeof(ask), &got, sizeof(got)) < 0)
		fail(bench, "no completion queue: %s", strerror(errno));
	run->cq = got.cq_handle;
	run->completions = map_queue(bench, &run->verbs, &got.info);
}

static void make_pair(const struct bench *bench, const struct run *run, struct queue_pair *pair)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response, user_handle;
		uint32_t pd_handle, send_cq_handle, recv_cq_handle, srq_handle;
		uint32_t max_send_wr, max_recv_wr, max_send_sge, max_recv_sge, max_inline_data;
		uint8_t sq_sig_all, qp_type, is_srq, reserved;
	} ask = {
		.pd_handle = run->verbs.pd,
		.send_cq_handle = run->cq,
		.recv_cq_handle = run->cq,
		.max_send_wr = MAX_BATCH,
		.max_recv_wr = 1,
		.max_send_sge = 1,
		.max_recv_sge = 1,
		.qp_type = IB_UVERBS_QPT_RC,
	};
	struct {
		uint32_t qp_handle, qpn, granted[6];
		struct mminfo receives, sends;
	} got;

	if (verbs_ask(run->verbs.fd, IB_USER_VERBS_CMD_CREATE_QP, &ask, sizeof(ask), &got, sizeof(got)) < 0)
		fail(bench, "no queue pair: %s", strerror(errno));
	*pair = (struct queue_pair){ got.qp_handle, got.qpn, map_queue(bench, &run->verbs, &got.sends) };
}

/* The number of the GID of 127.0.0.1, which comes in its own time after the device. */
static int loopback_gid(const struct bench *bench, const struct verbs *verbs, uint8_t gid[16])
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int ms = 0; ms < GID_ROCE_V2_WAIT_MS; ms += 10) {
		for (int i = 0; i < 8; i++) {
			char path[80], line[64];
			unsigned int word[8];

			snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/1/gids/%d", verbs->device, i);
			if (verbs_line(path, line, sizeof(line)) ||
			    sscanf(line, "%x:%x:%x:%x:%x:%x:%x:%x", &word[0], &word[1], &word[2], &word[3],
				   &word[4], &word[5], &word[6], &word[7]) != 8)
				continue;
			for (int k = 0; k < 16; k++)
				gid[k] = word[k / 2] >> (k % 2 ? 0 : 8);
			if (!memcmp(gid, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01", 16))
				return i;
		}
		nanosleep(&pause, NULL);
	}
	fail(bench, "%s has no GID of 127.0.0.1", verbs->device);
}

static void modify(const struct bench *bench, const struct run *run, const struct ib_uverbs_modify_qp *attr)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_modify_qp attr;
	} ask = { .attr = *attr };

	if (verbs_write(run->verbs.fd, IB_USER_VERBS_CMD_MODIFY_QP, &ask, sizeof(ask), 0) < 0)
		fail(bench, "a queue pair does not go to state %u: %s", attr->qp_state, strerror(errno));
}

/* Brings a queue pair to where it sends to the other one and answers it. */
static void connect_pair(const struct bench *bench, const struct run *run, const struct queue_pair *pair,
			 const struct queue_pair *to)
{
	struct ib_uverbs_modify_qp attr = {
		.qp_handle = pair->handle,
		.attr_mask = QP_STATE | QP_PKEY_INDEX | QP_PORT | QP_ACCESS,
		.qp_state = STATE_INIT,
		.port_num = 1,
		.qp_access_flags = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC,
		.path_mtu = MTU_4096,
		.dest_qp_num = to->number,
		.max_rd_atomic = READS_AT_ONCE,
		.max_dest_rd_atomic = READS_AT_ONCE,
		.min_rnr_timer = 12,
		/* 4.096 us by 2 to this power: a second, which nothing takes. */
		.timeout = 18,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.dest = { .is_global = 1, .port_num = 1, .hop_limit = 64 },
	};

	attr.dest.sgid_index = loopback_gid(bench, &run->verbs, attr.dest.dgid);
	modify(bench, run, &attr);
	attr.qp_state = STATE_RTR;
	attr.attr_mask = QP_STATE | QP_AV | QP_PATH_MTU | QP_DEST_QPN | QP_RQ_PSN | QP_MAX_DEST_RD_ATOMIC |
			 QP_MIN_RNR_TIMER;
	modify(bench, run, &attr);
	attr.qp_state = STATE_RTS;
	attr.attr_mask = QP_STATE | QP_TIMEOUT | QP_RETRY_CNT | QP_RNR_RETRY | QP_SQ_PSN | QP_MAX_RD_ATOMIC;
	modify(bench, run, &attr);
}

static void make_memory(const struct bench *bench, struct run *run, const struct memory_kind *kind)
{
	int access = LOCAL_WRITE | REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC;

	run->remote = memory_make(bench, kind, run->bytes);
	run->local = memory_make(bench, &memory_kinds[0], run->message);
	for (unsigned long i = 0; i < run->message; i++)
		run->local[i] = i * 31 + i / 251;
	if (run->request->opcode != IB_UVERBS_WR_RDMA_WRITE)
		memset(run->remote, 0, run->bytes);
	if (run->request->opcode == IB_UVERBS_WR_RDMA_READ)
		for (unsigned long i = 0; i < run->bytes; i++)
			run->remote[i] = i / run->message * 17 + i * 31 + i / 251;
	if (verbs_register(&run->verbs, run->remote, run->bytes, access, &run->remote_region) < 0 ||
	    verbs_register(&run->verbs, run->local, run->message, access, &run->local_region) < 0)
		fail(bench, "registration: %s", strerror(errno));
}

/* A write's data is in every block that one went to, a read's is the last block's; every add is in a sum. */
static void check(const struct bench *bench, const struct run *run)
{
	uint64_t sum = 0, number;

	switch (run->request->opcode) {
	case IB_UVERBS_WR_RDMA_WRITE:
		for (number = 1; number <= run->done; number++)
			if (memcmp(run->remote + offset_of(run, number), run->local, run->message))
				fail(bench, "request %lu did not write what it should", (unsigned long)number);
		break;
	case IB_UVERBS_WR_RDMA_READ:
		if (memcmp(run->remote + offset_of(run, run->done), run->local, run->message))
			fail(bench, "the last request did not read what it should");
		break;
	default:
		for (unsigned long i = 0; i < run->bytes; i += sizeof(number)) {
			memcpy(&number, run->remote + i, sizeof(number));
			sum += number;
		}
		if (sum != run->done)
			fail(bench, "%lu adds made %lu", run->done, (unsigned long)sum);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = { .program = "rdma-rw", .ops = 160, .warm_up = 32 };
	struct run run = { .request = &requests[0], .bytes = 1 << 20, .message = 64 << 10, .batch = 16 };
	const struct memory_kind *kind = &memory_kinds[0];
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":r:l:m:b:q:n:w:s:h", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			run.request = request_named(optarg);
			break;
		case 'l':
			run.message = parse_number(bench.program, "--length", optarg, 1, 1ul << 30);
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
			run.batch = parse_number(bench.program, "--batch", optarg, 1, MAX_BATCH);
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
	if (run.request->opcode == IB_UVERBS_WR_ATOMIC_FETCH_AND_ADD)
		run.message = sizeof(uint64_t);
	if (run.message > run.bytes)
		bad_argument(bench.program, "--length is more than --bytes: %lu", run.message);
	run.blocks = run.bytes / run.message;

	run.verbs = verbs_open(&bench, "rxe");
	make_memory(&bench, &run, kind);
	make_completions(&bench, &run);
	for (int i = 0; i < 2; i++)
		make_pair(&bench, &run, &run.pair[i]);
	for (int i = 0; i < 2; i++)
		connect_pair(&bench, &run, &run.pair[i], &run.pair[!i]);
	bench_run(&bench, transfer, &run);
	check(&bench, &run);
	return 0;
}
