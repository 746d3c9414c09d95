/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a given page size for phyr's benchmark programs: touched, locked,
 * and looked at in /proc/kpageflags, because the kernel gives smaller pages
 * than asked for without a word.
 */
#ifndef PHYR_MEMORY_H
#define PHYR_MEMORY_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include "phyr-bench.h"

#define PAGE 4096ul
#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"
#define MEMORY_KINDS "4k, apart, 64k, thp, hugetlb-2m, hugetlb-1g, shmem"

enum { HUGE_SHIFT = 26, FLAG_HEAD = 15, FLAG_TAIL = 16 };

struct memory_kind {
	const char *name;
	unsigned long size; /* of one folio, bytes */
	int flags; /* of mmap, besides the usual */
	int advice;
	const char *mid, *pmd; /* what 64 KiB and 2 MiB pages of the page allocator are set to */
	const char *pool; /* hugetlb's directory */
};

static const struct memory_kind memory_kinds[] = {
	{ "4k", PAGE, MAP_PRIVATE, MADV_NOHUGEPAGE, NULL, NULL, NULL },
	{ "apart", PAGE, MAP_PRIVATE, MADV_NOHUGEPAGE, NULL, NULL, NULL },
	{ "64k", 16 * PAGE, MAP_PRIVATE, MADV_HUGEPAGE, "madvise", "never", NULL },
	{ "thp", 512 * PAGE, MAP_PRIVATE, MADV_HUGEPAGE, "never", "madvise", NULL },
	{ "hugetlb-2m", 512 * PAGE, MAP_PRIVATE | MAP_HUGETLB | 21 << HUGE_SHIFT, 0, NULL, NULL,
	  "hugepages-2048kB" },
	{ "hugetlb-1g", 512 * 512 * PAGE, MAP_PRIVATE | MAP_HUGETLB | 30 << HUGE_SHIFT, 0, NULL, NULL,
	  "hugepages-1048576kB" },
	{ "shmem", PAGE, MAP_SHARED, MADV_NOHUGEPAGE, NULL, NULL, NULL },
};

/* The kind by its name; NULL for a name that is none. */
static inline const struct memory_kind *memory_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(memory_kinds) / sizeof(memory_kinds[0]); i++)
		if (!strcmp(memory_kinds[i].name, name))
			return &memory_kinds[i];
	return NULL;
}

/* Writes a setting of the guest; -1 with errno. */
static inline int memory_set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n, error;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : 0;
}

static inline long memory_get(const char *path)
{
	FILE *file = fopen(path, "re");
	long value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

/*
 * Makes room in the pool of huge pages. What was reserved stays, the guest is thrown away; but a pool that is still
 * too small is put back, or the guest would have no other memory left.
 */
static inline void memory_reserve(const struct bench *bench, const struct memory_kind *kind, unsigned long pages)
{
	char path[128], number[32];
	long have, before;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages", kind->pool);
	have = memory_get(path);
	if (have < 0)
		skip(bench, "the kernel has no %s", kind->name);
	if ((unsigned long)have >= pages)
		return;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/nr_hugepages", kind->pool);
	before = memory_get(path);
	snprintf(number, sizeof(number), "%ld", before + (long)pages - have);
	if (memory_set(path, number) < 0)
		skip(bench, "cannot reserve %s: %s", kind->name, strerror(errno));
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/free_hugepages", kind->pool);
	have = memory_get(path);
	if (have >= (long)pages)
		return;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/nr_hugepages", kind->pool);
	snprintf(number, sizeof(number), "%ld", before);
	memory_set(path, number);
	skip(bench, "no more than %ld pages of %s can be had, not %lu", have, kind->name, pages);
}

static inline void memory_tune(const struct bench *bench, const struct memory_kind *kind)
{
	if (kind->mid && memory_set(THP_DIR "hugepages-64kB/enabled", kind->mid) < 0 && kind->size == 16 * PAGE)
		skip(bench, "the kernel has no pages of 64k: %s", strerror(errno));
	if (kind->pmd && memory_set(THP_DIR "hugepages-2048kB/enabled", kind->pmd) < 0)
		skip(bench, "the kernel has no transparent huge pages: %s", strerror(errno));
}

static inline void memory_read(const struct bench *bench, int fd, const char *path, void *to, uint64_t index,
			       unsigned long count)
{
	if (fd < 0 || pread(fd, to, count * 8, index * 8) != (ssize_t)(count * 8))
		skip(bench, "cannot tell the size of the pages: %s is not readable", path);
}

/* Bytes of this process in huge pages that the page table maps as such. */
static inline unsigned long memory_mapped_huge(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static inline int memory_apart(const struct memory_kind *kind)
{
	return !strcmp(kind->name, "apart");
}

/*
 * Skips the case unless all of the memory is in folios of the kind's size, each in one piece; and of pages that are
 * apart, all but a hundredth.
 */
static inline void memory_check(const struct bench *bench, const struct memory_kind *kind, void *at,
				unsigned long len)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	const uint64_t mask = (1ull << 55) - 1;
	unsigned long per = kind->size / PAGE, together = 0;
	uint64_t entry[512], flag[512], last = 0;

	for (unsigned long i = 0; i < len / PAGE;) {
		unsigned long n = per < 512 ? per : 512;
		uint64_t first;

		memory_read(bench, map, "/proc/self/pagemap", entry, (uintptr_t)at / PAGE + i, n);
		first = entry[0] & mask;
		if (!(entry[0] >> 63) || !first)
			skip(bench, "cannot tell the size of the pages: no page frame numbers");
		memory_read(bench, flags, "/proc/kpageflags", flag, first, n);
		for (unsigned long k = 0; k < n; k++) {
			int head = flag[k] >> FLAG_HEAD & 1, tail = flag[k] >> FLAG_TAIL & 1;
			int want_head = per > 1 && (i + k) % per == 0, want_tail = (i + k) % per != 0;

			if ((entry[k] & mask) != first + k || head != want_head || tail != want_tail)
				skip(bench, "page %lu is not in a page of %s", i + k, kind->name);
		}
		together += first == last + 1;
		last = first;
		i += n;
	}
	if (memory_apart(kind) && together * 100 > len / PAGE)
		skip(bench, "%lu pages are not apart from the ones before them", together);
	close(map);
	close(flags);
	if (!strcmp(kind->name, "thp") && memory_mapped_huge() < len)
		skip(bench, "the page table does not map all of it by huge pages");
}

/* `len` bytes at the start of an own mapping, whole folios, every one touched and locked. */
static inline void *memory_make(const struct bench *bench, const struct memory_kind *kind, unsigned long len)
{
	unsigned long whole = (len + kind->size - 1) / kind->size * kind->size;
	unsigned long slack = kind->pool ? 0 : kind->size - PAGE;
	unsigned char *at;

	if (kind->pool)
		memory_reserve(bench, kind, whole / kind->size);
	memory_tune(bench, kind);
	at = mmap(NULL, whole + slack, PROT_READ | PROT_WRITE, kind->flags | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		skip(bench, "no %lu bytes of %s: %s", whole, kind->name, strerror(errno));
	at = (unsigned char *)(((uintptr_t)at + slack) / kind->size * kind->size);
	if (kind->advice && madvise(at, whole, kind->advice) < 0 && kind->advice != MADV_NOHUGEPAGE)
		skip(bench, "no advice for %s: %s", kind->name, strerror(errno));
	/* Pages come from the allocator one behind the other: of memory that is to be apart first every second one. */
	for (unsigned long i = 0; i < whole; i += PAGE << memory_apart(kind))
		at[i] = i / PAGE + 1;
	for (unsigned long i = PAGE; memory_apart(kind) && i < whole; i += 2 * PAGE)
		at[i] = i / PAGE + 1;
	if (mlock(at, whole) < 0)
		fail(bench, "mlock: %s", strerror(errno));
	memory_check(bench, kind, at, whole);
	return at;
}

#endif
