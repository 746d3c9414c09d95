// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps memory for DMA and unmaps it, through the kernel's own dma_map_benchmark
 * (/sys/kernel/debug/dma_map_benchmark). The driver is bound to a PCI device of
 * the machine first: whose it is decides whether an IOMMU translates. One ioctl
 * does all operations of the region; what it allocates before and frees after
 * is in the count too, the same for every length.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include "phyr-bench.h"

/* include/uapi/linux/map_benchmark.h, with the members that the series adds. */
struct map_benchmark {
	__u64 avg_map_100ns;
	__u64 map_stddev;
	__u64 avg_unmap_100ns;
	__u64 unmap_stddev;
	__u32 threads;
	__u32 seconds;
	__s32 node;
	__u32 dma_bits;
	__u32 dma_dir;
	__u32 dma_trans_ns;
	__u32 granule;
	__u8 map_mode;
	__u8 reserved[3];
	__u32 loops;
	__u8 expansion[68];
};

#define DMA_MAP_BENCHMARK _IOWR('d', 1, struct map_benchmark)
#define DRIVER "dma_map_benchmark"
#define DEVICE "/sys/kernel/debug/" DRIVER
#define DEVICES "/sys/bus/pci/devices"

enum { TO_DEVICE = 1, MAX_SEGMENTS = 4096, MAX_BITS = 64 };

struct command {
	const char *name, *what;
	int mode;
};

static const struct command commands[] = {
	{ "single", "dma_map_single", 0 },
	{ "sg", "dma_map_sgtable", 1 },
	{ "phyrs", "dma_map_phyrs", 2 },
};

static const char help[] =
	"usage: dma-bench [OPTION]... CASE\n"
	"\n"
	"Maps and unmaps pages for DMA by " DEVICE ",\n"
	"in one marked region. The pages are not neighbours: each is a segment.\n"
	"\n"
	"-c, --command NAME     single, sg (dma_map_sgtable), phyrs (sg)\n"
	"-g, --segments N       pages that one operation maps, to 4096 (1)\n"
	"-d, --device V:D       vendor and device of the PCI device that maps\n"
	"                       (1234:11e8, which is QEMU's edu)\n"
	"-b, --bits N           bits of its DMA addresses (64)\n"
	"-n, --operations N     operations in the region (100)\n"
	"-w, --warm-up N        operations before it (10)\n";

static const struct option options[] = {
	{ "command", required_argument, NULL, 'c' },
	{ "segments", required_argument, NULL, 'g' },
	{ "device", required_argument, NULL, 'd' },
	{ "bits", required_argument, NULL, 'b' },
	{ "operations", required_argument, NULL, 'n' },
	{ "warm-up", required_argument, NULL, 'w' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	bad_argument("dma-bench", "no such command: '%s'", name);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

static unsigned int id_at(const char *dir, const char *file)
{
	char path[300], text[16];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return strtoul(text, NULL, 16);
}

/* The driver's debugfs file is there as long as a device is bound to it, and there can be one only. */
static void bind_device(const struct bench *bench, unsigned int vendor, unsigned int device)
{
	char path[300];
	const char *name, *dir = NULL;
	glob_t found;

	if (!access(DEVICE, F_OK))
		return;
	if (access("/sys/bus/pci/drivers/" DRIVER, F_OK))
		skip(bench, "this kernel has no " DRIVER);
	if (glob(DEVICES "/*", 0, NULL, &found))
		fail(bench, "no PCI devices");
	for (size_t i = 0; i < found.gl_pathc && !dir; i++)
		if (id_at(found.gl_pathv[i], "vendor") == vendor && id_at(found.gl_pathv[i], "device") == device)
			dir = found.gl_pathv[i];
	if (!dir)
		fail(bench, "no PCI device %04x:%04x", vendor, device);
	name = strrchr(dir, '/') + 1;
	snprintf(path, sizeof(path), "%s/driver/unbind", dir);
	if (put(path, name) < 0 && errno != ENOENT)
		fail(bench, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/driver_override", dir);
	if (put(path, DRIVER) < 0 || put("/sys/bus/pci/drivers/" DRIVER "/bind", name) < 0)
		fail(bench, "cannot bind %s to " DRIVER ": %s", name, strerror(errno));
	globfree(&found);
}

static void parse_device(const char *program, const char *text, unsigned int *vendor, unsigned int *device)
{
	int end = 0;

	if (sscanf(text, "%4x:%4x%n", vendor, device, &end) != 2 || text[end])
		bad_argument(program, "no vendor and device such as 1234:11e8: '%s'", text);
}

static int map_and_unmap(int fd, const struct map_benchmark *wanted, unsigned int loops)
{
	struct map_benchmark test = *wanted;

	test.loops = loops;
	return ioctl(fd, DMA_MAP_BENCHMARK, &test);
}

int main(int argc, char **argv)
{
	struct bench bench = { .program = "dma-bench", .ops = 100, .warm_up = 10 };
	/* No seconds: a kernel without the member `loops` refuses that. */
	struct map_benchmark test = { .threads = 1, .node = -1, .dma_bits = MAX_BITS, .dma_dir = TO_DEVICE, .granule = 1 };
	const struct command *command = &commands[1];
	unsigned int vendor = 0x1234, device = 0x11e8;
	unsigned long long ns;
	int option, fd, failed;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:g:d:b:n:w:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			command = command_named(optarg);
			break;
		case 'g':
			test.granule = parse_number(bench.program, "--segments", optarg, 1, MAX_SEGMENTS);
			break;
		case 'd':
			parse_device(bench.program, optarg, &vendor, &device);
			break;
		case 'b':
			test.dma_bits = parse_number(bench.program, "--bits", optarg, 20, MAX_BITS);
			break;
		case 'n':
			bench.ops = parse_number(bench.program, "--operations", optarg, 1, UINT_MAX);
			break;
		case 'w':
			bench.warm_up = parse_number(bench.program, "--warm-up", optarg, 1, UINT_MAX);
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
	test.map_mode = command->mode;

	bind_device(&bench, vendor, device);
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail(&bench, "cannot open " DEVICE ": %s", strerror(errno));
	if (map_and_unmap(fd, &test, bench.warm_up)) {
		if (errno == EINVAL)
			skip(&bench, "this kernel's " DRIVER " does not count operations, or has no %s()", command->what);
		fail(&bench, "warming up: %s", strerror(errno));
	}

	say("phyr: region %s %lu", bench.name, bench.ops);
	ns = now_ns();
	MARK_BEGIN();
	failed = map_and_unmap(fd, &test, bench.ops);
	MARK_END();
	ns = now_ns() - ns;
	if (failed)
		fail(&bench, "%s", strerror(errno));
	say("phyr: time %s %lu %llu", bench.name, bench.ops, ns);
	return 0;
}
