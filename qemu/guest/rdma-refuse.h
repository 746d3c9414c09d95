/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of what must not be: transfers beside a region, regions of what is no memory, more locked memory than allowed.
 */
#ifndef PHYR_RDMA_REFUSE_H
#define PHYR_RDMA_REFUSE_H

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "rdma-use.h"

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

#endif
