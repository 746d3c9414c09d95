/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of every kind that a region can be registered from, and the counters that tell what is pinned.
 *
 * The kernel gives smaller pages than asked for without a word: where it counts the large ones, they are counted.
 */
#ifndef PHYR_RDMA_MEMORY_H
#define PHYR_RDMA_MEMORY_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define KiB 1024ul
#define MiB (1024 * KiB)
#define GiB (1024 * MiB)
#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"
#define POOL_DIR "/sys/kernel/mm/hugepages/"

/* Who may do what with it. */
enum { MAY_WRITE = 1, ALIASED = 2 };

struct kind {
	const char *name;
	unsigned long page; /* of its pages, or of its folios */
	int flags;
	const char *what;
};

static const struct kind kinds[] = {
	{ "4k", PAGE, MAY_WRITE, "anonymous pages, no two of them neighbours" },
	{ "64k", 64 * KiB, MAY_WRITE, "anonymous folios of 64 KiB" },
	{ "thp", 2 * MiB, MAY_WRITE, "transparent huge pages" },
	{ "mixed", 2 * MiB, MAY_WRITE, "transparent huge pages and single pages in turn" },
	{ "hugetlb-2m", 2 * MiB, MAY_WRITE | ALIASED, "2 MiB pages of hugetlb, mapped as often as it takes" },
	{ "hugetlb-1g", GiB, MAY_WRITE | ALIASED, "one 1 GiB page of hugetlb, mapped as often as it takes" },
	{ "shmem", PAGE, MAY_WRITE | ALIASED, "shared memory, 64 MiB of it mapped as often as it takes" },
	{ "private", PAGE, MAY_WRITE, "a private mapping of a file" },
	{ "file", PAGE, 0, "a shared mapping of a file: writable, but not for a device" },
	{ "readonly", PAGE, 0, "anonymous pages that have become read-only" },
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct memory {
	const struct kind *kind;
	unsigned char *at;
	unsigned long len;
	unsigned char *map; /* the mapping around it */
	unsigned long map_len;
	char why[160];
};

static const char *file_dir; /* on a file system with pages of its own */
static const char *gigantic_file; /* on a hugetlbfs of 1 GiB pages: keeps its page from program to program */

static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

static inline long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long value = -1;

	if (file && fscanf(file, "%ld", &value) != 1)
		value = -1;
	if (file)
		fclose(file);
	return value;
}

/* The sum of the lines of a file that begin with this name; -1 when there is none. */
static inline long read_field(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(name);
	long value, found = -1;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && sscanf(line + len, "%*[: \t]%ld", &value) == 1)
			found = value;
	if (file)
		fclose(file);
	return found;
}

/* Pages that somebody in this system has pinned and not yet released. */
static inline long pins(void)
{
	/* The counters of each processor go into the totals by this. */
	write_text("/proc/sys/vm/stat_refresh", "1\n");
	return read_field("/proc/vmstat", "nr_foll_pin_acquired") - read_field("/proc/vmstat", "nr_foll_pin_released");
}

/* Pages that are counted as pinned by this process. */
static inline long pins_accounted(void)
{
	long kib = read_field("/proc/self/status", "VmPin");

	return kib < 0 ? -1 : kib / (long)(PAGE / KiB);
}

/* 0 when as many pages as wanted are pinned, at latest after this time; else by how many it differs. */
static inline long pins_differ(long wanted, double seconds)
{
	long differ;

	while ((differ = pins() - wanted) != 0 && seconds > 0) {
		usleep(20000);
		seconds -= 0.02;
	}
	return differ;
}

static inline unsigned long pages_of(const void *at, unsigned long len)
{
	return (((uintptr_t)at + len + PAGE - 1) & -PAGE) / PAGE - (uintptr_t)at / PAGE;
}

/* Physically contiguous pieces of a range, 0 when they cannot be told. */
static inline unsigned long memory_pieces(const void *at, unsigned long len)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long first = (uintptr_t)at / PAGE, nr = pages_of(at, len), pieces = 0;
	uint64_t entry[512], last = 0;

	for (unsigned long i = 0; fd >= 0 && i < nr; i += 512) {
		unsigned long n = nr - i < 512 ? nr - i : 512;

		if (pread(fd, entry, n * 8, (first + i) * 8) != (ssize_t)(n * 8)) {
			pieces = 0;
			break;
		}
		for (unsigned long k = 0; k < n; k++) {
			uint64_t pfn = entry[k] & ((1ull << 55) - 1);

			pieces += pfn != last + 1;
			last = pfn;
		}
	}
	if (fd >= 0)
		close(fd);
	return pieces;
}

static inline void memory_free(struct memory *memory)
{
	if (memory->map)
		munmap(memory->map, memory->map_len);
	memory->map = NULL;
	memory->at = NULL;
}

static inline int memory_fault(struct memory *memory, const char *what)
{
	snprintf(memory->why, sizeof(memory->why), "%s: %s", what, strerror(errno));
	memory_free(memory);
	return -1;
}

static inline int memory_reserve(struct memory *memory, unsigned long len, int align)
{
	memory->map_len = len + (align ? memory->kind->page : 0);
	memory->map = mmap(NULL, memory->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory->map == MAP_FAILED) {
		memory->map = NULL;
		return memory_fault(memory, "address space");
	}
	memory->at = memory->map;
	if (align)
		memory->at = (unsigned char *)(((uintptr_t)memory->map + memory->kind->page - 1) & -memory->kind->page);
	memory->len = len;
	return 0;
}

/* An object with `size` bytes, mapped one after the other until the length is reached. */
static inline int memory_alias(struct memory *memory, int fd, unsigned long size)
{
	for (unsigned long i = 0; i < memory->len; i += size) {
		unsigned long n = memory->len - i < size ? memory->len - i : size;

		if (mmap(memory->at + i, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return memory_fault(memory, "mapping it");
	}
	return 0;
}

static inline int memory_hugetlb(struct memory *memory)
{
	/* Kept from its first use on: to clear a page of 1 GiB takes ten seconds without hardware virtualisation. */
	static int gigantic = -1;
	unsigned long page = memory->kind->page, size = page;
	int fd = page == GiB ? gigantic : -1, ret;
	char path[128];
	long free_pages;

	memory->len = (memory->len + page - 1) / page * page;
	if (page == GiB && fd < 0 && gigantic_file)
		fd = gigantic = open(gigantic_file, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return memory_reserve(memory, memory->len, 1) ? -1 : memory_alias(memory, fd, page);
	snprintf(path, sizeof(path), POOL_DIR "hugepages-%lukB/free_hugepages", page / KiB);
	free_pages = read_number(path);
	if (free_pages <= 0) {
		snprintf(memory->why, sizeof(memory->why), "this machine has no free pages of %lu MiB", page / MiB);
		return -1;
	}
	/* Half of what there is, for the others. */
	if (page < GiB && free_pages > 1)
		size = free_pages / 2 * page;
	if (size > memory->len)
		size = memory->len;
	if (page == GiB && gigantic_file)
		fd = open(gigantic_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	else
		fd = memfd_create("hugetlb", MFD_CLOEXEC | MFD_HUGETLB | (page == GiB ? 30u : 21u) << MAP_HUGE_SHIFT);
	if (fd < 0 || ftruncate(fd, size) < 0 || memory_reserve(memory, memory->len, 1))
		return memory_fault(memory, "hugetlb");
	ret = memory_alias(memory, fd, size);
	if (page == GiB && !ret)
		gigantic = fd;
	else
		close(fd);
	return ret;
}

static inline int memory_shmem(struct memory *memory)
{
	unsigned long size = memory->len < 64 * MiB ? memory->len : 64 * MiB;
	int fd = memfd_create("shmem", MFD_CLOEXEC), ret;

	if (fd < 0 || ftruncate(fd, size) < 0 || memory_reserve(memory, memory->len, 0))
		return memory_fault(memory, "memfd");
	ret = memory_alias(memory, fd, size);
	close(fd);
	return ret;
}

static inline int memory_file(struct memory *memory)
{
	int shared = !strcmp(memory->kind->name, "file"), fd;
	char path[128];

	if (!file_dir) {
		snprintf(memory->why, sizeof(memory->why), "no directory for files was given");
		return -1;
	}
	snprintf(path, sizeof(path), "%s/rdma-mr.%d", file_dir, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(path);
	memory->map_len = memory->len;
	if (fd < 0 || ftruncate(fd, memory->len) < 0)
		return memory_fault(memory, "a file");
	memory->map = mmap(NULL, memory->map_len, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	close(fd);
	if (memory->map == MAP_FAILED) {
		memory->map = NULL;
		return memory_fault(memory, "a file");
	}
	memory->at = memory->map;
	return 0;
}

/* New memory is at most half of what is free: a test that ends by the OOM killer has said nothing. */
static inline int memory_afford(struct memory *memory)
{
	long free_kib = read_field("/proc/meminfo", "MemAvailable");

	if (free_kib < 0 || memory->len / KiB <= (unsigned long)free_kib / 2)
		return 0;
	snprintf(memory->why, sizeof(memory->why), "this machine has %ld MiB free, too little for %lu", free_kib / 1024,
		 memory->len / MiB);
	return -1;
}

static inline unsigned long common_divisor(unsigned long a, unsigned long b)
{
	while (b) {
		unsigned long rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Pieces of 2 MiB, of single pages that no neighbour lies beside and of a huge page in turn. */
static inline int memory_mixed(struct memory *memory)
{
	const unsigned long huge = 2 * MiB;
	unsigned long len = (memory->len + huge - 1) & -huge;

	if (memory_afford(memory))
		return -1;
	write_text(THP_DIR "hugepages-64kB/enabled", "never");
	write_text(THP_DIR "hugepages-2048kB/enabled", "madvise");
	if (memory_reserve(memory, len + huge, 0))
		return -1;
	memory->at = (unsigned char *)(((uintptr_t)memory->map + huge - 1) & -huge);
	memory->len = len;
	if (mprotect(memory->map, memory->map_len, PROT_READ | PROT_WRITE) ||
	    madvise(memory->map, memory->map_len, MADV_NOHUGEPAGE))
		return memory_fault(memory, "anonymous memory");
	for (unsigned long at = huge; at < len; at += 2 * huge)
		if (madvise(memory->at + at, huge, MADV_HUGEPAGE))
			return memory_fault(memory, "huge pages");
	for (unsigned long at = 0; at < len; at += 2 * PAGE)
		memory->at[at] = 1;
	for (unsigned long at = PAGE; at < len; at += 2 * PAGE)
		memory->at[at] = 1;
	return 0;
}

/* Large folios by what the kernel counts; small pages one by one, so that neighbours here are none in memory. */
static inline int memory_anonymous(struct memory *memory)
{
	unsigned long page = memory->kind->page, nr = (memory->len + page - 1) / page;
	unsigned long step = nr > 4 ? nr * 618 / 1000 : 1;
	char counter[160] = "";
	long before = 0;

	if (memory_afford(memory))
		return -1;
	while (nr > 1 && common_divisor(nr, step) != 1)
		step++;
	if (page > PAGE) {
		write_text(THP_DIR "hugepages-64kB/enabled", page == 2 * MiB ? "never" : "madvise");
		write_text(THP_DIR "hugepages-2048kB/enabled", page == 2 * MiB ? "madvise" : "never");
		snprintf(counter, sizeof(counter), THP_DIR "hugepages-%lukB/stats/anon_fault_alloc", page / KiB);
		before = read_number(counter);
		if (before < 0) {
			snprintf(memory->why, sizeof(memory->why), "this kernel has no folios of %lu KiB", page / KiB);
			return -1;
		}
	}
	if (memory_reserve(memory, nr * page, 1) || mprotect(memory->map, memory->map_len, PROT_READ | PROT_WRITE) ||
	    madvise(memory->map, memory->map_len, page > PAGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		return memory_fault(memory, "anonymous memory");
	for (unsigned long i = 0, k = 0; i < nr; i++, k = (k + step) % nr)
		memory->at[k * page] = 1;
	if (page == PAGE)
		return 0;
	if (read_number(counter) - before >= (long)nr)
		return 0;
	snprintf(memory->why, sizeof(memory->why), "the kernel gave less than %lu folios of %lu KiB", nr, page / KiB);
	memory_free(memory);
	return -1;
}

/* At least `len` bytes, page-aligned, every page there. -1 with memory->why when they cannot be had. */
static inline int memory_make(struct memory *memory, const struct kind *kind, unsigned long len)
{
	int ret;

	*memory = (struct memory) { .kind = kind, .len = (len + PAGE - 1) & -PAGE };
	if (!strncmp(kind->name, "hugetlb", 7))
		ret = memory_hugetlb(memory);
	else if (!strcmp(kind->name, "shmem"))
		ret = memory_shmem(memory);
	else if (!strcmp(kind->name, "file") || !strcmp(kind->name, "private"))
		ret = memory_file(memory);
	else if (!strcmp(kind->name, "mixed"))
		ret = memory_mixed(memory);
	else
		ret = memory_anonymous(memory);
	return ret;
}

#endif
