/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call paths, each once, with what was counted on it. A path is the number of
 * its last element; its parent is the path without that. Path 0 is empty, and
 * every path begins there. There are never more than PATHS: what has no room
 * is counted on one path, which is the last.
 */
#ifndef PHYR_PLUGIN_PATHS_H
#define PHYR_PLUGIN_PATHS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef PATHS
#define PATHS	(1u << 20)
#endif

struct path {
	uint32_t parent;
	uint32_t function;
	uint32_t sibling;	/* the next in the hash chain, 0 ends it */
	uint64_t count;
};

struct paths {
	struct path *path;
	uint32_t *buckets;	/* PATHS of them */
	uint32_t used;
};

/* full: the function that the path for what has no room consists of. */
static inline bool paths_init(struct paths *p, uint32_t full)
{
	p->path = calloc(PATHS, sizeof(*p->path));
	p->buckets = calloc(PATHS, sizeof(*p->buckets));
	p->used = 1;
	if (!p->path || !p->buckets)
		return false;
	p->path[PATHS - 1].function = full;
	return true;
}

static inline void paths_free(struct paths *p)
{
	free(p->path);
	free(p->buckets);
}

/* The path that is parent's and then function. */
static inline uint32_t paths_child(struct paths *p, uint32_t parent, uint32_t function)
{
	uint64_t hash = (((uint64_t)parent << 32) | function) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t *bucket = &p->buckets[(hash >> 32) % PATHS];

	for (uint32_t i = *bucket; i; i = p->path[i].sibling) {
		if (p->path[i].parent == parent && p->path[i].function == function)
			return i;
	}
	if (p->used == PATHS - 1 || parent == PATHS - 1)
		return PATHS - 1;
	p->path[p->used] = (struct path){ parent, function, *bucket, 0 };
	*bucket = p->used;
	return p->used++;
}

/* The paths stay, because stacks refer to them; their counts begin again. */
static inline void paths_clear(struct paths *p)
{
	for (uint32_t i = 0; i < p->used; i++)
		p->path[i].count = 0;
	p->path[PATHS - 1].count = 0;
}

/* The function that a path begins with. */
static inline uint32_t paths_root(const struct paths *p, uint32_t i)
{
	while (p->path[i].parent)
		i = p->path[i].parent;
	return p->path[i].function;
}

#endif
