/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two connected queue pairs of one rxe device, for phyr's benchmark programs:
 * what rdma-core's library for rxe does. Requests and completions lie in queues
 * that are shared with the kernel; a command tells it of new requests.
 */
#ifndef PHYR_RXE_H
#define PHYR_RXE_H

#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/rdma_user_rxe.h>
#include <sys/mman.h>
#include "phyr-verbs.h"

/* Requests that a queue has room for. */
#define RXE_REQUESTS 128

/* include/rdma/ib_verbs.h: no header for user space has these. */
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
enum { MTU_4096 = 5, SEND_SIGNALED = 2 };

struct rxe_pair {
	uint32_t handle, number;
	struct rxe_queue_buf *sends;
};

/* What the first queue pair sends the second one answers; completions of both come to one queue. */
struct rxe_link {
	const struct verbs *verbs;
	int channel; /* reading it sleeps until the completion that was asked for */
	uint32_t cq, sequence;
	struct rxe_queue_buf *completions;
	struct rxe_pair pair[2];
};

static inline void *rxe_map(const struct bench *bench, const struct verbs *verbs, const struct mminfo *info)
{
	void *at = mmap(NULL, info->size, PROT_READ | PROT_WRITE, MAP_SHARED, verbs->fd, info->offset);

	if (at == MAP_FAILED)
		fail(bench, "cannot map a queue of %s: %s", verbs->device, strerror(errno));
	return at;
}

static inline void rxe_make_completions(const struct bench *bench, struct rxe_link *link)
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
	} ask = { .cqe = 2 * RXE_REQUESTS };
	struct ib_uverbs_create_comp_channel_resp channel;
	struct {
		uint32_t cq_handle, cqe;
		struct mminfo info;
	} got;
	int fd = link->verbs->fd;

	if (verbs_ask(fd, IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL, &ask_channel, sizeof(ask_channel), &channel,
		      sizeof(channel)) < 0)
		fail(bench, "no completion channel: %s", strerror(errno));
	link->channel = ask.comp_channel = channel.fd;
	if (verbs_ask(fd, IB_USER_VERBS_CMD_CREATE_CQ, &ask, sizeof(ask), &got, sizeof(got)) < 0)
		fail(bench, "no completion queue: %s", strerror(errno));
	link->cq = got.cq_handle;
	link->completions = rxe_map(bench, link->verbs, &got.info);
}

static inline struct rxe_pair rxe_make_pair(const struct bench *bench, const struct rxe_link *link)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response, user_handle;
		uint32_t pd_handle, send_cq_handle, recv_cq_handle, srq_handle;
		uint32_t max_send_wr, max_recv_wr, max_send_sge, max_recv_sge, max_inline_data;
		uint8_t sq_sig_all, qp_type, is_srq, reserved;
	} ask = {
		.pd_handle = link->verbs->pd,
		.send_cq_handle = link->cq,
		.recv_cq_handle = link->cq,
		.max_send_wr = RXE_REQUESTS,
		.max_recv_wr = 1,
		.max_send_sge = 1,
		.max_recv_sge = 1,
		.qp_type = IB_UVERBS_QPT_RC,
	};
	struct {
		uint32_t qp_handle, qpn, granted[6];
		struct mminfo receives, sends;
	} got;

	if (verbs_ask(link->verbs->fd, IB_USER_VERBS_CMD_CREATE_QP, &ask, sizeof(ask), &got, sizeof(got)) < 0)
		fail(bench, "no queue pair: %s", strerror(errno));
	return (struct rxe_pair){ got.qp_handle, got.qpn, rxe_map(bench, link->verbs, &got.sends) };
}

/* The index of 127.0.0.1's GID, and the GID. The kernel adds it in its own time after the device. */
static inline int rxe_loopback_gid(const struct bench *bench, const struct verbs *verbs, uint8_t gid[16])
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int tries = 0; tries < 200; tries++) {
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

static inline void rxe_modify(const struct bench *bench, const struct rxe_link *link,
			      const struct ib_uverbs_modify_qp *attr)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_modify_qp attr;
	} ask = { .attr = *attr };

	if (verbs_write(link->verbs->fd, IB_USER_VERBS_CMD_MODIFY_QP, &ask, sizeof(ask), 0) < 0)
		fail(bench, "a queue pair does not go to state %u: %s", attr->qp_state, strerror(errno));
}

/* Brings a queue pair to where it sends to the other one and answers it. */
static inline void rxe_connect_pair(const struct bench *bench, const struct rxe_link *link, int from, int to)
{
	struct ib_uverbs_modify_qp attr = {
		.qp_handle = link->pair[from].handle,
		.attr_mask = QP_STATE | QP_PKEY_INDEX | QP_PORT | QP_ACCESS,
		.qp_state = STATE_INIT,
		.port_num = 1,
		.qp_access_flags = REMOTE_WRITE | REMOTE_READ | REMOTE_ATOMIC,
		.path_mtu = MTU_4096,
		.dest_qp_num = link->pair[to].number,
		.max_rd_atomic = 16,
		.max_dest_rd_atomic = 16,
		.min_rnr_timer = 12,
		/* 4.096 us by 2 to this power: a second, which nothing takes. */
		.timeout = 18,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.dest = { .is_global = 1, .port_num = 1, .hop_limit = 64 },
	};

	attr.dest.sgid_index = rxe_loopback_gid(bench, link->verbs, attr.dest.dgid);
	rxe_modify(bench, link, &attr);
	attr.qp_state = STATE_RTR;
	attr.attr_mask = QP_STATE | QP_AV | QP_PATH_MTU | QP_DEST_QPN | QP_RQ_PSN | QP_MAX_DEST_RD_ATOMIC |
			 QP_MIN_RNR_TIMER;
	rxe_modify(bench, link, &attr);
	attr.qp_state = STATE_RTS;
	attr.attr_mask = QP_STATE | QP_TIMEOUT | QP_RETRY_CNT | QP_RNR_RETRY | QP_SQ_PSN | QP_MAX_RD_ATOMIC;
	rxe_modify(bench, link, &attr);
}

/* `verbs` is of an rxe device and stays where it is. */
static inline struct rxe_link rxe_connect(const struct bench *bench, const struct verbs *verbs)
{
	struct rxe_link link = { .verbs = verbs };

	rxe_make_completions(bench, &link);
	for (int i = 0; i < 2; i++)
		link.pair[i] = rxe_make_pair(bench, &link);
	for (int i = 0; i < 2; i++)
		rxe_connect_pair(bench, &link, i, !i);
	return link;
}

/* Puts a request with one piece of local memory into the first pair's queue. There has to be room. */
static inline void rxe_post(struct rxe_link *link, const struct rxe_send_wr *wr, const struct rxe_sge *local)
{
	struct rxe_queue_buf *queue = link->pair[0].sends;
	uint32_t at = queue->producer_index;
	struct rxe_send_wqe *wqe = (void *)(queue->data + ((size_t)at << queue->log2_elem_size));

	memset(wqe, 0, sizeof(*wqe));
	wqe->wr = *wr;
	/* Of atomics it is the same place. */
	wqe->iova = wr->wr.rdma.remote_addr;
	wqe->ssn = link->sequence++;
	wqe->dma.length = wqe->dma.resid = local->length;
	wqe->dma.num_sge = 1;
	wqe->dma.sge[0] = *local;
	__atomic_store_n(&queue->producer_index, (at + 1) & queue->index_mask, __ATOMIC_RELEASE);
}

/* Sets the kernel to work on what was posted, and asks for an event when something is complete; -1 with errno. */
static inline int rxe_ring(const struct rxe_link *link)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_req_notify_cq notify;
	} event = { .notify = { .cq_handle = link->cq } };
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response;
		uint32_t qp_handle, wr_count, sge_count, wqe_size;
	} ask = { .qp_handle = link->pair[0].handle, .wqe_size = sizeof(struct ib_uverbs_send_wr) };
	struct ib_uverbs_post_send_resp got;
	int fd = link->verbs->fd;

	if (verbs_write(fd, IB_USER_VERBS_CMD_REQ_NOTIFY_CQ, &event, sizeof(event), 0) < 0)
		return -1;
	return verbs_ask(fd, IB_USER_VERBS_CMD_POST_SEND, &ask, sizeof(ask), &got, sizeof(got));
}

/* Sleeps until there is a completion, and takes it; -1 with errno. */
static inline int rxe_complete(struct rxe_link *link, struct ib_uverbs_wc *wc)
{
	struct rxe_queue_buf *queue = link->completions;
	uint32_t at = queue->consumer_index;
	struct ib_uverbs_comp_event_desc event;

	if (read(link->channel, &event, sizeof(event)) != sizeof(event))
		return -1;
	if (__atomic_load_n(&queue->producer_index, __ATOMIC_ACQUIRE) == at) {
		errno = EPROTO;
		return -1;
	}
	memcpy(wc, queue->data + ((size_t)at << queue->log2_elem_size), sizeof(*wc));
	__atomic_store_n(&queue->consumer_index, (at + 1) & queue->index_mask, __ATOMIC_RELEASE);
	return 0;
}

#endif
