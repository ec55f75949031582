/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc/self/mountinfo says of a case's mounts.
 */
#include "mount_tree.h"

#include <sys/mount.h>

#define TEXT_SIZE (1024UL * 1024)

struct tree shown; /* large for a stack */

static void read_whole(const char *name, char *text)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n;

	MUST(fd);
	while (used < TEXT_SIZE - 1 && (n = read(fd, text + used, TEXT_SIZE - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fd);
}

static int group_name(struct tree *t, int id)
{
	for (size_t i = 0; i < t->group_count; i++) {
		if (t->groups[i] == id)
			return (int)i + 1;
	}
	if (t->group_count == GROUPS_MAX)
		return -1;
	t->groups[t->group_count++] = id;
	return (int)t->group_count;
}

static void read_line(struct tree *t, char *text)
{
	char root[256], at[256], *end = strstr(text, " - "), *tags;
	struct line *l = &t->lines[t->count];
	size_t size = strlen(t->prefix);
	int used = 0;

	if (!end || t->count == LINES_MAX)
		return;
	*end = '\0';
	if (sscanf(text, "%d %d %*s %255s %255s %*s%n", &l->id, &l->parent, root, at, &used) < 4 || !used)
		return;
	if (strncmp(at, t->prefix, size) != 0 || (at[size] && at[size] != '/'))
		return;
	tags = text + used;
	snprintf(l->root, sizeof(l->root), "%.63s", root);
	snprintf(l->at, sizeof(l->at), "t%.120s", at + size);
	snprintf(l->tags, sizeof(l->tags), "%.95s", tags);
	t->count++;
}

static struct line *line_of(struct tree *t, int id)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->lines[i].id == id)
			return &t->lines[i];
	}
	return NULL;
}

/* By their places from the top on, which tells any two apart: a place in a mount has one mount on it. */
static int compare_chains(const struct line *x, const struct line *y)
{
	int order = 0;

	if (x == y)
		return 0;
	if (x->depth > y->depth)
		order = compare_chains(x->up, y) ? compare_chains(x->up, y) : 1;
	else if (x->depth < y->depth)
		order = compare_chains(x, y->up) ? compare_chains(x, y->up) : -1;
	else if (x->up && y->up)
		order = compare_chains(x->up, y->up);
	return order ? order : strcmp(x->at, y->at);
}

static int compare_lines(const void *a, const void *b)
{
	return compare_chains(*(const struct line *const *)a, *(const struct line *const *)b);
}

/* " shared:17 master:3" with the groups' names instead of the numbers. */
static void name_groups(struct tree *t, const char *tags, char *out, size_t size)
{
	size_t used = 0;
	char word[64];
	int skip;

	out[0] = '\0';
	while (sscanf(tags, " %63s%n", word, &skip) == 1) {
		char *number = strchr(word, ':');

		tags += skip;
		if (number)
			used += (size_t)snprintf(out + used, size - used, " %.*s:%d",
						 (int)(number - word), word,
						 group_name(t, (int)strtol(number + 1, NULL, 10)));
		else
			used += (size_t)snprintf(out + used, size - used, " %s", word);
	}
}

void read_tree(void)
{
	char *text = malloc(TEXT_SIZE), *save = NULL;
	struct tree *t = &shown;

	MUST(text ? 0 : -1);
	t->count = t->group_count = 0;
	read_whole("/proc/self/mountinfo", text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(t, line);
	for (size_t i = 0; i < t->count; i++) {
		t->lines[i].up = line_of(t, t->lines[i].parent);
		t->order[i] = &t->lines[i];
	}
	for (size_t i = 0; i < t->count; i++) {
		t->lines[i].depth = 0;
		for (const struct line *up = &t->lines[i]; up; up = up->up)
			t->lines[i].depth++;
	}
	qsort(t->order, t->count, sizeof(t->order[0]), compare_lines);
	free(text);
}

void show_tree(const char *label)
{
	struct tree *t = &shown;

	read_tree();
	note("%s:", label);
	if (t->count == LINES_MAX) {
		note("  too many");
		return;
	}
	for (size_t i = 0; i < t->count; i++) {
		const struct line *l = t->order[i];
		char tags[128];

		name_groups(t, l->tags, tags, sizeof(tags));
		note("  %s%s of %s on %s", l->at, tags, l->root, l->up ? l->up->at : "-");
	}
}

void made(const char *path)
{
	MUST(mkdir(path, 0755));
}

void tmpfs(const char *path)
{
	MUST(mount("moat", path, "tmpfs", 0, NULL));
}

int propagate(const char *path, unsigned long how)
{
	return mount(NULL, path, NULL, how, NULL);
}

int bind_mount(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_BIND, NULL);
}

void show_options(const char *label, const char *at)
{
	static char line[4096], found[4096];
	char place[256], cwd[128];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	MUST(f && getcwd(cwd, sizeof(cwd)) ? 0 : -1);
	found[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		int skip = 0;

		if (sscanf(line, "%*d %*d %*s %*s %255s %n", place, &skip) < 1 || !skip)
			continue;
		if (strncmp(place, cwd, strlen(cwd)) == 0 && strcmp(place + strlen(cwd) + 1, at) == 0)
			snprintf(found, sizeof(found), "%s", line + skip);
	}
	fclose(f);
	found[strcspn(found, "\n")] = '\0';
	show_str(label, found);
}

/* "t" is a private tmpfs with the directories a to f, each with "in" in it. */
void begin(void)
{
	char cwd[96], path[16];

	enter_user_namespace();
	MUST(unshare(CLONE_NEWNS));
	MUST(propagate("/", MS_REC | MS_PRIVATE));
	made("t");
	tmpfs("t");
	MUST(getcwd(cwd, sizeof(cwd)) ? 0 : -1);
	snprintf(shown.prefix, sizeof(shown.prefix), "%s/t", cwd);
	for (int name = 'a'; name <= 'f'; name++) {
		snprintf(path, sizeof(path), "t/%c", name);
		made(path);
		snprintf(path, sizeof(path), "t/%c/in", name);
		made(path);
	}
}
