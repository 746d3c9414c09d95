// SPDX-License-Identifier: GPL-2.0-only
/*
 * rdma-mr -a ADDRESS [-s SEED] [-r ROUNDS] [-k KILLS] [-m MIB] [-n MIB] [-f DIR] [-g FILE] [-b BAR] [-t PART]
 *
 * Memory regions of the RDMA device that has this IPv4 address: they are registered from every kind of memory, data
 * goes through them between two queue pairs of this process and is compared byte by byte, what cannot be registered is
 * refused, and whatever happens, to regions and to processes, no page stays pinned.
 *
 *   -m MIB  registers nothing larger than this (4096)
 *   -n MIB  makes no more new memory at a time than this (64): what is larger maps the same pages again and again
 *   -f DIR  files are made there; without it the kinds of memory that are files are skipped
 *   -g FILE on a hugetlbfs of 1 GiB pages: the page is in it, for the next program, too
 *   -b BAR  a file whose mapping is memory of a PCI device (/sys/bus/pci/devices/.../resource2)
 *   -t PART runs only tests whose name has this in it
 *
 * KTAP version 1 on stdout; exit status 0 when no test failed, 1 when one did, 2 for a wrong command line, 4 when the
 * device cannot be used at all.
 */
#define _GNU_SOURCE
#include "rdma-early.h"
#include "rdma-kill.h"
#include "rdma-refuse.h"
#include "rdma-use.h"

static struct test tests[128];
static int nr_tests;

static void add(int (*run)(const struct test *test), const struct kind *kind, unsigned long len, const char *format, ...)
{
	struct test *test = &tests[nr_tests];
	va_list list;

	if (nr_tests == sizeof(tests) / sizeof(tests[0]))
		abort();
	va_start(list, format);
	vsnprintf(test->name, sizeof(test->name), format, list);
	va_end(list);
	if (!strstr(test->name, part))
		return;
	test->run = run;
	test->kind = kind;
	test->len = len;
	nr_tests++;
}

static const char *size_name(unsigned long len)
{
	static char name[32];

	if (len >= GiB)
		snprintf(name, sizeof(name), "%luG", len / GiB);
	else if (len >= MiB)
		snprintf(name, sizeof(name), "%luM", len / MiB);
	else
		snprintf(name, sizeof(name), "%luK", len / KiB);
	return name;
}

static void list_tests(void)
{
	static const unsigned long sizes[] = { 4 * KiB, 2 * MiB, 64 * MiB, GiB, 2 * GiB, 4 * GiB };
	const struct kind *small = &kinds[0];

	for (unsigned long k = 0; k < NR_KINDS; k++) {
		const struct kind *kind = &kinds[k];
		unsigned long most = kind->flags & ALIASED ? max_len : max_len < max_new ? max_len : max_new;

		for (unsigned long i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			/* A GiB of small pages takes as long as everything else together. */
			if (sizes[i] > (kind->page > PAGE || max_new >= GiB ? most : 64 * MiB))
				continue;
			/* Files and what becomes read-only are the same small pages. */
			if (sizes[i] > 2 * MiB && kind > small && kind->page == PAGE && !(kind->flags & ALIASED))
				continue;
			add(test_register, kind, sizes[i], "register-%s-%s", kind->name, size_name(sizes[i]));
		}
	}
	for (unsigned long k = 0; k < NR_KINDS; k++) {
		add(test_data, &kinds[k], 8 * MiB, "data-%s", kinds[k].name);
		add(test_data, &kinds[k], 256 * KiB, "data-%s-whole", kinds[k].name);
		if (kinds[k].flags & MAY_WRITE)
			add(test_atomic, &kinds[k], 4 * MiB, "atomic-%s", kinds[k].name);
	}
	for (unsigned long k = 0; k < NR_KINDS; k++)
		if (kinds[k].page == GiB && max_len >= 4 * GiB)
			add(test_data, &kinds[k], 4 * GiB, "data-%s-4G", kinds[k].name);
	add(test_iova, small, 4 * MiB, "iova-%s", small->name);
	add(test_iova, &kinds[2], 4 * MiB, "iova-%s", kinds[2].name);
	add(test_bounds, small, MiB, "bounds");
	add(test_rights, small, MiB, "rights");
	for (unsigned long k = 0; k < NR_KINDS; k++)
		add(test_munmap, &kinds[k], 4 * MiB, "munmap-%s", kinds[k].name);
	add(test_fork, small, 4 * MiB, "fork-%s", small->name);
	add(test_fork, &kinds[2], 4 * MiB, "fork-%s", kinds[2].name);
	add(test_many, small, MiB, "many-%s", small->name);
	add(test_many, &kinds[2], 4 * MiB, "many-%s", kinds[2].name);
	add(test_release, small, 64 * KiB, "release");
	add(test_early, small, 0, "early");
	add(test_hole, small, 4 * MiB, "hole-%s", small->name);
	add(test_hole, &kinds[2], 4 * MiB, "hole-%s", kinds[2].name);
	add(test_guarded, small, 4 * MiB, "guarded-%s", small->name);
	add(test_guarded, &kinds[2], 4 * MiB, "guarded-%s", kinds[2].name);
	add(test_truncated, small, 4 * MiB, "truncated");
	for (unsigned long k = 0; k < NR_KINDS; k++)
		if (!(kinds[k].flags & MAY_WRITE))
			add(test_unwritable, &kinds[k], MiB, "unwritable-%s", kinds[k].name);
	add(test_nonsense, small, 0, "nonsense");
	/* From here on no data: it changes the rights of the process, and then uverbs takes no work from it. */
	add(test_memlock, small, MiB, "memlock");
	add(test_devmem, small, 0, "devmem");
	add(test_bar, small, 0, "bar");
	add(test_kill, small, 0, "kill");
}

/* One test, and what it has left behind. */
static int run_one(const struct test *test, int number)
{
	double start = link_now();
	long before, left;
	int result;

	why[0] = 0;
	result = connect_link();
	before = pinned();
	if (!result)
		result = test->run(test);
	left = pins_differ(before + link_pins(), late);
	if (left)
		late = 0.2;
	if (left && result != FAIL)
		result = fail("%ld pages stay pinned", left);
	else if (left)
		printf("# and %ld pages stay pinned\n", left);
	printf("# %s: %.2f s\n", test->name, link_now() - start);
	if (result == SKIP)
		printf("ok %d %s # SKIP %s\n", number, test->name, why);
	else if (result == FAIL)
		printf("# %s: %s\nnot ok %d %s\n", test->name, why, number, test->name);
	else
		printf("ok %d %s\n", number, test->name);
	fflush(stdout);
	return result == FAIL;
}

/* Everything that is pinned from the beginning to the end. */
static int set_up(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	/* siw looks at the limit even where CAP_IPC_LOCK makes it void. */
	if (setrlimit(RLIMIT_MEMLOCK, &all))
		return skip("setrlimit: %s", strerror(errno));
	stage = mmap(NULL, STAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	shadow = mmap(NULL, STAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (stage == MAP_FAILED || shadow == MAP_FAILED)
		return skip("no memory: %s", strerror(errno));
	if (connect_link())
		return SKIP;
	if (ibv_query_device(link_.id[0]->verbs, &device))
		return skip("ibv_query_device: %s", strerror(errno));
	is_iwarp = link_.id[0]->verbs->device->transport_type == IBV_TRANSPORT_IWARP;
	stage_mr = ibv_reg_mr(pd, stage, STAGE, ALL_ACCESS);
	return stage_mr ? PASS : skip("registering the staging area: %s", strerror(errno));
}

int main(int argc, char *argv[])
{
	int option, failed = 0, to_be_killed = 0;
	unsigned long seed = 1;

	while ((option = getopt(argc, argv, "a:s:r:k:m:n:f:g:b:t:K")) != -1) {
		switch (option) {
		case 'a': address = optarg; break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 'r': rounds = strtoul(optarg, NULL, 0); break;
		case 'k': kills = strtoul(optarg, NULL, 0); break;
		case 'm': max_len = strtoul(optarg, NULL, 0) * MiB; break;
		case 'n': max_new = strtoul(optarg, NULL, 0) * MiB; break;
		case 'f': file_dir = optarg; break;
		case 'g': gigantic_file = optarg; break;
		case 'b': bar = optarg; break;
		case 't': part = optarg; break;
		case 'K': to_be_killed = 1; break;
		default: return 2;
		}
	}
	if (!address || optind != argc) {
		fprintf(stderr, "usage: rdma-mr -a ADDRESS [-s SEED] [-r ROUNDS] [-k KILLS] [-m MIB] [-n MIB] [-f DIR]\n"
			"               [-g FILE] [-b BAR] [-t PART]\n");
		return 2;
	}
	state = seed;
	if (to_be_killed) {
		if (set_up() == PASS)
			be_killed();
		printf("%s\n", why);
		return 1;
	}
	list_tests();
	printf("KTAP version 1\n");
	if (set_up()) {
		printf("1..0 # SKIP %s\n", why);
		return 4;
	}
	printf("1..%d\n# %s (%s), seed %lu\n", nr_tests, ibv_get_device_name(link_.id[0]->verbs->device),
	       is_iwarp ? "iWARP" : "InfiniBand", seed);
	for (int i = 0; i < nr_tests; i++)
		failed += run_one(&tests[i], i + 1);
	return failed ? 1 : 0;
}
