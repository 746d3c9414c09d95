/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a connection between two queue pairs of one RDMA device, in one thread.
 *
 * Set up by rdma_cm, which does it for RoCE (rxe) and for iWARP (siw, which knows no other way) alike: the device is
 * the one that has the address. No call waits for ever: what does not come in time is an error.
 */
#ifndef PHYR_RDMA_LINK_H
#define PHYR_RDMA_LINK_H

/* Before verbs.h: a static program names its drivers. */
#define RDMA_STATIC_PROVIDERS rxe, siw

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <poll.h>
#include <rdma/rdma_cma.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINK_DEPTH 64
#define LINK_SGES 4
#define LINK_SECONDS 20

struct link {
	struct rdma_event_channel *channel[3];
	struct rdma_cm_id *listener;
	struct rdma_cm_id *id[2]; /* 0 asks, 1 answers */
	struct ibv_cq *cq[2];
	/* Read by link_flush(): what was written before it has arrived when this has. */
	struct ibv_mr *flush[2];
	uint64_t flushed[2];
	/* How long a completion may take, seconds. */
	double patience;
	char why[160];
};

static inline double link_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static inline int link_fault(struct link *link, const char *what, int error)
{
	snprintf(link->why, sizeof(link->why), "%s: %s", what, strerror(error));
	return -1;
}

/* The next event of one of the three; *id is the new one when it is a request. */
static inline int link_event(struct link *link, int channel, enum rdma_cm_event_type wanted, struct rdma_cm_id **id)
{
	struct pollfd ready = { .fd = link->channel[channel]->fd, .events = POLLIN };
	struct rdma_cm_event *event;
	int status;

	if (poll(&ready, 1, LINK_SECONDS * 1000) != 1)
		return link_fault(link, rdma_event_str(wanted), ETIMEDOUT);
	if (rdma_get_cm_event(link->channel[channel], &event))
		return link_fault(link, "rdma_get_cm_event", errno);
	status = event->status;
	if (id)
		*id = event->id;
	if (event->event != wanted) {
		snprintf(link->why, sizeof(link->why), "%s (%d) where %s was wanted", rdma_event_str(event->event),
			 status, rdma_event_str(wanted));
		rdma_ack_cm_event(event);
		return -1;
	}
	rdma_ack_cm_event(event);
	return 0;
}

static inline int link_queues(struct link *link, int end, struct ibv_pd *pd)
{
	struct ibv_qp_init_attr attr = {
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = 1,
		.cap = { .max_send_wr = LINK_DEPTH, .max_recv_wr = LINK_DEPTH,
			 .max_send_sge = LINK_SGES, .max_recv_sge = LINK_SGES },
	};

	link->cq[end] = ibv_create_cq(link->id[end]->verbs, 2 * LINK_DEPTH, NULL, NULL, 0);
	if (!link->cq[end])
		return link_fault(link, "ibv_create_cq", errno);
	attr.send_cq = attr.recv_cq = link->cq[end];
	if (rdma_create_qp(link->id[end], pd, &attr))
		return link_fault(link, "rdma_create_qp", errno);
	link->flush[end] = ibv_reg_mr(pd, &link->flushed[end], sizeof(link->flushed[end]),
				      IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ);
	if (!link->flush[end])
		return link_fault(link, "ibv_reg_mr", errno);
	return 0;
}

static inline void link_close(struct link *link)
{
	for (int end = 0; end < 2; end++) {
		if (link->flush[end])
			ibv_dereg_mr(link->flush[end]);
		if (link->id[end] && link->id[end]->qp)
			rdma_destroy_qp(link->id[end]);
		if (link->cq[end])
			ibv_destroy_cq(link->cq[end]);
		if (link->id[end])
			rdma_destroy_id(link->id[end]);
	}
	if (link->listener)
		rdma_destroy_id(link->listener);
	for (int i = 0; i < 3; i++)
		if (link->channel[i])
			rdma_destroy_event_channel(link->channel[i]);
	*link = (struct link) { 0 };
}

static inline struct rdma_conn_param link_param(void)
{
	return (struct rdma_conn_param) { .responder_resources = 4, .initiator_depth = 4, .retry_count = 7,
					  .rnr_retry_count = 7 };
}

/*
 * Has end 0 ask for a connection, and end 1 hear of it; next is link_accept(). Both are queue pairs of the device that
 * has this IPv4 address. With *pd NULL it gets a protection domain of that device, else it must be of it. -1 with
 * link->why.
 */
static inline int link_ask(struct link *link, const char *address, struct ibv_pd **pd)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct rdma_conn_param param = link_param();
	struct ibv_device **list;

	*link = (struct link) { .patience = LINK_SECONDS };
	/* It makes the drivers known; rdma_cm's own call would not. */
	list = ibv_get_device_list(NULL);
	if (!list)
		return link_fault(link, "ibv_get_device_list", errno);
	ibv_free_device_list(list);
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
		return link_fault(link, address, EINVAL);
	for (int i = 0; i < 3; i++) {
		link->channel[i] = rdma_create_event_channel();
		if (!link->channel[i])
			return link_fault(link, "rdma_create_event_channel", errno);
	}
	if (rdma_create_id(link->channel[2], &link->listener, NULL, RDMA_PS_TCP) ||
	    rdma_bind_addr(link->listener, (struct sockaddr *)&at) || rdma_listen(link->listener, 1))
		return link_fault(link, "listening", errno);
	if (!link->listener->verbs)
		return link_fault(link, address, ENODEV);
	at.sin_port = rdma_get_src_port(link->listener);
	if (!*pd)
		*pd = ibv_alloc_pd(link->listener->verbs);
	if (!*pd)
		return link_fault(link, "ibv_alloc_pd", errno);

	if (rdma_create_id(link->channel[0], &link->id[0], NULL, RDMA_PS_TCP) ||
	    rdma_resolve_addr(link->id[0], NULL, (struct sockaddr *)&at, LINK_SECONDS * 1000))
		return link_fault(link, "rdma_resolve_addr", errno);
	if (link_event(link, 0, RDMA_CM_EVENT_ADDR_RESOLVED, NULL))
		return -1;
	if (rdma_resolve_route(link->id[0], LINK_SECONDS * 1000))
		return link_fault(link, "rdma_resolve_route", errno);
	if (link_event(link, 0, RDMA_CM_EVENT_ROUTE_RESOLVED, NULL) || link_queues(link, 0, *pd))
		return -1;
	if (rdma_connect(link->id[0], &param))
		return link_fault(link, "rdma_connect", errno);
	if (link_event(link, 2, RDMA_CM_EVENT_CONNECT_REQUEST, &link->id[1]))
		return -1;
	/* Its events come where the listener's do, until it has a channel of its own. */
	if (rdma_migrate_id(link->id[1], link->channel[1]))
		return link_fault(link, "rdma_migrate_id", errno);
	return link_queues(link, 1, *pd);
}

/* Has end 1 say yes. Then each end has an event to come: that it is connected. */
static inline int link_accept(struct link *link)
{
	struct rdma_conn_param param = link_param();

	return rdma_accept(link->id[1], &param) ? link_fault(link, "rdma_accept", errno) : 0;
}

/* Connects two queue pairs, as link_ask() says. */
static inline int link_open(struct link *link, const char *address, struct ibv_pd **pd)
{
	return link_ask(link, address, pd) || link_accept(link) ||
	       link_event(link, 0, RDMA_CM_EVENT_ESTABLISHED, NULL) ||
	       link_event(link, 1, RDMA_CM_EVENT_ESTABLISHED, NULL) ? -1 : 0;
}

/* Waits for one completion; its status, or -1 with link->why when none comes. */
static inline int link_wait(struct link *link, int end, struct ibv_wc *wc)
{
	double until = link_now() + link->patience;
	int n;

	while ((n = ibv_poll_cq(link->cq[end], 1, wc)) == 0) {
		if (link_now() > until)
			return link_fault(link, "no completion", ETIMEDOUT);
		/* The driver works in threads of the kernel's. */
		sched_yield();
	}
	if (n < 0)
		return link_fault(link, "ibv_poll_cq", EIO);
	if (wc->status != IBV_WC_SUCCESS)
		snprintf(link->why, sizeof(link->why), "completion: %s", ibv_wc_status_str(wc->status));
	return wc->status;
}

/* Asks end 0 for one operation and waits for it: 0, the completion's status, or -1. */
static inline int link_do(struct link *link, struct ibv_send_wr *wr)
{
	struct ibv_send_wr *bad;
	struct ibv_wc wc;
	int error;

	error = ibv_post_send(link->id[0]->qp, wr, &bad);
	if (error)
		return link_fault(link, "ibv_post_send", error);
	return link_wait(link, 0, &wc);
}

/* An iWARP write is complete when it is sent: what is read after it is there after it. */
static inline int link_flush(struct link *link)
{
	struct ibv_sge sge = { (uintptr_t)&link->flushed[0], sizeof(link->flushed[0]), link->flush[0]->lkey };
	struct ibv_send_wr wr = { .sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_RDMA_READ };

	wr.wr.rdma.remote_addr = (uintptr_t)&link->flushed[1];
	wr.wr.rdma.rkey = link->flush[1]->rkey;
	return link_do(link, &wr);
}

#endif
