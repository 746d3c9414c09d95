/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RDMA verbs for phyr's benchmark programs, by the kernel's own interface:
 * commands written to /dev/infiniband/uverbsN, without rdma-core's libraries.
 * A device of the driver that is wanted is made on the loopback interface if
 * there is none yet.
 */
#ifndef PHYR_VERBS_H
#define PHYR_VERBS_H

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_netlink.h>
#include <rdma/siw-abi.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "phyr-bench.h"

#define VERBS_DRIVERS "rxe, siw"
#define VERBS_NETDEV "lo"

/* enum ib_access_flags, which is in no header for user space under these names. */
enum { LOCAL_WRITE = 1, REMOTE_WRITE = 2, REMOTE_READ = 4, REMOTE_ATOMIC = 8 };

struct verbs {
	int fd;
	int siw; /* this driver's commands have data of its own */
	char device[16];
	uint32_t pd;
};

struct region {
	uint32_t handle, lkey, rkey;
};

/* Every command begins so; those with a response have its address next. */
struct verbs_head {
	struct ib_uverbs_cmd_hdr hdr;
	uint64_t response;
};

/* Writes a command of `size` bytes that begins with its header; -1 with errno. */
static inline int verbs_write(int fd, uint32_t command, void *words, size_t size, size_t response_size)
{
	struct ib_uverbs_cmd_hdr *hdr = words;

	hdr->command = command;
	hdr->in_words = size / 4;
	hdr->out_words = response_size / 4;
	return write(fd, words, size) == (ssize_t)size ? 0 : -1;
}

/* The same for a command that is answered. */
static inline int verbs_ask(int fd, uint32_t command, void *words, size_t size, void *response,
			    size_t response_size)
{
	struct verbs_head *head = words;

	head->response = (uintptr_t)response;
	return verbs_write(fd, command, words, size, response_size);
}

/* A file of one short line; 0 if it is there. */
static inline int verbs_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	int got;

	if (!file)
		return -1;
	got = fgets(line, size, file) != NULL;
	fclose(file);
	if (!got)
		return -1;
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

/* Opens the character device of an RDMA device; -1 if there is none of this name. */
static inline int verbs_find(const char *device)
{
	char path[80], line[64];

	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/sys/class/infiniband_verbs/uverbs%d/ibdev", i);
		if (verbs_line(path, line, sizeof(line)) || strcmp(line, device))
			continue;
		snprintf(path, sizeof(path), "/dev/infiniband/uverbs%d", i);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	return -1;
}

static inline void verbs_attribute(struct nlmsghdr *message, uint16_t type, const char *text)
{
	struct nlattr *attribute = (void *)((char *)message + NLMSG_ALIGN(message->nlmsg_len));

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + strlen(text) + 1;
	strcpy((char *)attribute + NLA_HDRLEN, text);
	message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + NLA_ALIGN(attribute->nla_len);
}

/* `rdma link add DEVICE type DRIVER netdev lo`; -1 with errno. */
static inline int verbs_add_link(const char *device, const char *driver)
{
	static uint64_t buffer[64];
	struct nlmsghdr *message = (void *)buffer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);
	int error;
	ssize_t got;

	if (fd < 0)
		return -1;
	message->nlmsg_len = NLMSG_HDRLEN;
	message->nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK);
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	verbs_attribute(message, RDMA_NLDEV_ATTR_DEV_NAME, device);
	verbs_attribute(message, RDMA_NLDEV_ATTR_LINK_TYPE, driver);
	verbs_attribute(message, RDMA_NLDEV_ATTR_NDEV_NAME, VERBS_NETDEV);
	got = send(fd, buffer, message->nlmsg_len, 0);
	if (got > 0)
		got = recv(fd, buffer, sizeof(buffer), 0);
	error = got < 0 ? errno : -((struct nlmsgerr *)NLMSG_DATA(message))->error;
	close(fd);
	errno = error;
	return error ? -1 : 0;
}

/* An interface that is down has no address, and its RDMA device no active port. */
static inline int verbs_raise(const char *netdev)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	strncpy(request.ifr_name, netdev, sizeof(request.ifr_name) - 1);
	result = ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	if (!result)
		result = ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return result;
}

/* A context and a protection domain of a device of the driver ("rxe"). */
static inline struct verbs verbs_open(const struct bench *bench, const char *driver)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response;
	} ask = { 0 };
	struct {
		uint32_t async_fd, vectors;
		struct siw_uresp_alloc_ctx siw;
	} context;
	struct ib_uverbs_alloc_pd_resp pd;
	struct verbs verbs = { .siw = !strcmp(driver, "siw") };

	snprintf(verbs.device, sizeof(verbs.device), "%s0", driver);
	verbs.fd = verbs_find(verbs.device);
	if (verbs.fd < 0) {
		if (verbs_raise(VERBS_NETDEV) < 0)
			fail(bench, "cannot set " VERBS_NETDEV " up: %s", strerror(errno));
		if (verbs_add_link(verbs.device, driver) < 0)
			skip(bench, "no device of %s can be made: %s", driver, strerror(errno));
		verbs.fd = verbs_find(verbs.device);
	}
	if (verbs.fd < 0)
		fail(bench, "%s has no /dev/infiniband/uverbs: %s", verbs.device, strerror(errno));
	if (verbs_ask(verbs.fd, IB_USER_VERBS_CMD_GET_CONTEXT, &ask, sizeof(ask), &context,
		      verbs.siw ? sizeof(context) : offsetof(typeof(context), siw)) < 0)
		fail(bench, "no context of %s: %s", verbs.device, strerror(errno));
	if (verbs_ask(verbs.fd, IB_USER_VERBS_CMD_ALLOC_PD, &ask, sizeof(ask), &pd, sizeof(pd)) < 0)
		fail(bench, "no protection domain of %s: %s", verbs.device, strerror(errno));
	verbs.pd = pd.pd_handle;
	return verbs;
}

/* Registers memory; -1 with errno. */
static inline int verbs_register(const struct verbs *verbs, void *at, unsigned long bytes, int access,
				 struct region *region)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		uint64_t response, start, length, hca_va;
		uint32_t pd_handle, access_flags;
		struct siw_ureq_reg_mr siw;
	} ask = {
		.start = (uintptr_t)at,
		.length = bytes,
		.hca_va = (uintptr_t)at,
		.pd_handle = verbs->pd,
		.access_flags = access,
	};
	struct {
		uint32_t mr_handle, lkey, rkey;
		struct siw_uresp_reg_mr siw;
	} got;

	if (verbs_ask(verbs->fd, IB_USER_VERBS_CMD_REG_MR, &ask,
		      verbs->siw ? sizeof(ask) : offsetof(typeof(ask), siw), &got,
		      verbs->siw ? sizeof(got) : offsetof(typeof(got), siw)) < 0)
		return -1;
	*region = (struct region){ got.mr_handle, got.lkey, got.rkey };
	return 0;
}

static inline int verbs_deregister(const struct verbs *verbs, const struct region *region)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_dereg_mr mr;
	} ask = { .mr = { .mr_handle = region->handle } };

	return verbs_write(verbs->fd, IB_USER_VERBS_CMD_DEREG_MR, &ask, sizeof(ask), 0);
}

#endif
