// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapio [--expect ERRNO] MAPFILE OFFSET LENGTH BLOCKDEV [BLOCKOFFSET]
 *
 * Moves data between a mapping of MAPFILE and a block device without the page cache, by every entry point that
 * takes a user address, and compares every byte with what went another way: the reference always travels between
 * the device and ordinary memory. MAPFILE is what can be mapped and written (p2pmem/allocate of a CMB, resource2
 * of an ivshmem, /dev/dax0.0), or "anon" for ordinary memory.
 *
 * KTAP version 1 on stdout, a test per operation and direction; exit status 0 when all passed, 1 when one
 * failed, 2 for a wrong command line. With --expect, every operation must fail with that errno instead, and must
 * leave the other side as it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int value; } errnos[] = {
	{ "EFAULT", EFAULT }, { "EINVAL", EINVAL }, { "EREMOTEIO", EREMOTEIO },
	{ "EIO", EIO }, { "EOPNOTSUPP", EOPNOTSUPP }, { "ENOMEM", ENOMEM },
};

static const char *errno_name(int value)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].value == value)
			return errnos[i].name;
	return strerror(value);
}

/* Every 8 bytes differ from all others of this fill and of every other seed: a shifted or stale block shows. */
static void fill(unsigned char *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t x = (seed << 40) + i / 8 + 1;

		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
		x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
		x ^= x >> 31;
		memcpy(p + i, &x, len - i < 8 ? len - i : 8);
	}
}

/* Device memory may be wider or narrower in its access rules than RAM: copied out before it is compared. */
static long first_difference(const unsigned char *a, const unsigned char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return i;
	return -1;
}

/* One request through a ring of its own. Bytes moved, or -1 with errno. */
static long uring(int op, int fd, void *buf, size_t len, off_t off)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 2, &params);
	size_t sq_len, cq_len, rings_len, sqes_len;
	struct io_uring_sqe *sqe;
	unsigned char *rings;
	unsigned int *tail, *array;
	long ret = -1;
	int error;

	if (ring < 0)
		return -1;
	sq_len = params.sq_off.array + params.sq_entries * sizeof(unsigned int);
	cq_len = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	rings_len = sq_len > cq_len ? sq_len : cq_len;
	sqes_len = params.sq_entries * sizeof(*sqe);
	if (!(params.features & IORING_FEAT_SINGLE_MMAP)) {
		close(ring);
		errno = ENOSYS;
		return -1;
	}
	rings = mmap(NULL, rings_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sqes_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqe == MAP_FAILED)
		goto out;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->off = off;
	tail = (unsigned int *)(rings + params.sq_off.tail);
	array = (unsigned int *)(rings + params.sq_off.array);
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	do {
		ret = syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	} while (ret < 0 && errno == EINTR);
	if (ret == 1) {
		unsigned int *cq_tail = (unsigned int *)(rings + params.cq_off.tail);
		struct io_uring_cqe *cqe = (struct io_uring_cqe *)(rings + params.cq_off.cqes);

		if (__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE) == 0) {
			errno = EIO; /* woke up without a completion */
			ret = -1;
		} else if (cqe->res < 0) {
			errno = -cqe->res;
			ret = -1;
		} else {
			ret = cqe->res;
		}
	}
out:
	error = errno;
	if (rings != MAP_FAILED)
		munmap(rings, rings_len);
	if (sqe != MAP_FAILED)
		munmap(sqe, sqes_len);
	close(ring);
	errno = error;
	return ret;
}

static long op_pread(int fd, void *buf, size_t len, off_t off) { return pread(fd, buf, len, off); }
static long op_pwrite(int fd, void *buf, size_t len, off_t off) { return pwrite(fd, buf, len, off); }
static long op_uring_read(int fd, void *buf, size_t len, off_t off)
{
	return uring(IORING_OP_READ, fd, buf, len, off);
}
static long op_uring_write(int fd, void *buf, size_t len, off_t off)
{
	return uring(IORING_OP_WRITE, fd, buf, len, off);
}

static const struct {
	const char *name;
	int writes; /* the device */
	long (*op)(int fd, void *buf, size_t len, off_t off);
} tests[] = {
	{ "pread", 0, op_pread },
	{ "pwrite", 1, op_pwrite },
	{ "io_uring_read", 0, op_uring_read },
	{ "io_uring_write", 1, op_uring_write },
};
#define TESTS (sizeof(tests) / sizeof(tests[0]))

static struct {
	unsigned char *map, *sent, *before, *got;
	size_t len;
	off_t off;
	int fd;
	int expect;
} io;

/* Between ordinary memory and the device, all of it. */
static int reference(int writes, unsigned char *buf)
{
	ssize_t n = writes ? pwrite(io.fd, buf, io.len, io.off) : pread(io.fd, buf, io.len, io.off);

	return n == (ssize_t)io.len ? 0 : -1;
}

/*
 * The source side gets a fresh pattern, the other side a different one, so that an operation that does nothing,
 * or moves data that was there before, cannot pass. Returns 1 for ok.
 */
static int test(unsigned int number, char *why, size_t size)
{
	int writes = tests[number].writes, error;
	const unsigned char *want;
	long ret, bad;

	fill(io.sent, io.len, 2 * number + 1);
	fill(io.before, io.len, 2 * number + 2);
	memcpy(io.map, writes ? io.sent : io.before, io.len);
	if (reference(1, writes ? io.before : io.sent) < 0) {
		snprintf(why, size, "preparing the device: %s", strerror(errno));
		return 0;
	}
	errno = 0;
	ret = tests[number].op(io.fd, io.map, io.len, io.off);
	error = errno;
	if (!io.expect && ret != (long)io.len) {
		snprintf(why, size, "returned %ld (%s) for %zu bytes", ret, ret < 0 ? errno_name(error) : "short", io.len);
		return 0;
	}
	if (io.expect && (ret >= 0 || error != io.expect)) {
		snprintf(why, size, "returned %ld (%s), expected %s", ret, ret < 0 ? errno_name(error) : "no error",
			 errno_name(io.expect));
		return 0;
	}
	if (!writes)
		memcpy(io.got, io.map, io.len);
	else if (reference(0, io.got) < 0) {
		snprintf(why, size, "reading the device back: %s", strerror(errno));
		return 0;
	}
	want = io.expect ? io.before : io.sent;
	bad = first_difference(io.got, want, io.len);
	if (bad >= 0) {
		snprintf(why, size, "byte %ld is %02x, not %02x%s", bad, io.got[bad], want[bad],
			 io.got[bad] == io.before[bad] ? " (nothing was moved)" : "");
		return 0;
	}
	return 1;
}

static unsigned char *memory(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int usage(void)
{
	fprintf(stderr, "usage: mapio [--expect ERRNO] MAPFILE OFFSET LENGTH BLOCKDEV [BLOCKOFFSET]\n");
	return 2;
}

static int number(const char *text, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno || *end || end == text || *text == '-' ? -1 : 0;
}

/* A failure before the first test, still as KTAP. */
static int bail(const char *what, const char *name)
{
	printf("Bail out! %s %s: %s\n", what, name, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	unsigned long long map_off, len, block_off = 0;
	int failed = 0, map_fd = -1;
	char why[160];

	if (argc > 2 && !strcmp(argv[1], "--expect")) {
		for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
			if (!strcmp(errnos[i].name, argv[2]))
				io.expect = errnos[i].value;
		if (!io.expect)
			return usage();
		argv += 2;
		argc -= 2;
	}
	if (argc < 5 || argc > 6 || number(argv[2], &map_off) || number(argv[3], &len) || len == 0 ||
	    (argc == 6 && number(argv[5], &block_off)))
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0); /* what was done shows even when the kernel dies */
	printf("KTAP version 1\n1..%zu\n", TESTS);
	io.len = len;
	io.off = block_off;
	if (!strcmp(argv[1], "anon")) {
		io.map = memory(len);
	} else {
		map_fd = open(argv[1], O_RDWR | O_CLOEXEC);
		if (map_fd < 0)
			return bail("open", argv[1]);
		io.map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, map_off);
	}
	if (io.map == MAP_FAILED)
		return bail("mmap", argv[1]);
	io.sent = memory(len);
	io.before = memory(len);
	io.got = memory(len);
	if (io.sent == MAP_FAILED || io.before == MAP_FAILED || io.got == MAP_FAILED)
		return bail("mmap", "anonymous memory");
	io.fd = open(argv[4], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (io.fd < 0)
		return bail("open", argv[4]);
	for (unsigned int i = 0; i < TESTS; i++) {
		int ok = test(i, why, sizeof(why));

		if (!ok) {
			printf("# %s\n", why);
			failed = 1;
		}
		printf("%s %u %s\n", ok ? "ok" : "not ok", i + 1, tests[i].name);
	}
	return failed;
}
