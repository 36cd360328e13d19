/* What the sinks share that write records of formats (stdout, kafka): the options of their routes, what is bound of
 * them, and the formats at work. A format has one instance for all routes of a sink that ask for the same (they share
 * one struct of options, see `same` of struct sink_ops), so that what it counts is counted once. One instance of this
 * belongs to one worker's sink.
 *
 * A batch: formatted_begin, formatted_add of each item, formatted_flush; after an error of these, or when the records
 * could not be delivered, formatted_restore: the batch may then come again. */
#ifndef SLUICE_SINK_FORMATTED_H
#define SLUICE_SINK_FORMATTED_H

#include "sink/sink.h"

/* `format` and `format_options`: struct format_choice, and ready, same, needs, bind and unbind of struct sink_ops. */
extern const struct option formatted_route_options[];
int formatted_ready(void *route_opt, struct config *cfg, struct err *e);
bool formatted_same(const void *route_opt, const void *other);
unsigned formatted_needs(const void *route_opt);
int formatted_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e);
void formatted_unbind(void *bind);

/* The choice that was bound. */
const struct format_choice *formatted_choice(const void *bind);

struct formatted_instance;

struct formatted {
    struct formatted_instance *list; /* as many as there were choices so far */
    size_t count;
    struct record_list records; /* of the batch */
};

/* `cap`: most bytes of the records of a batch; 0: no limit. */
void formatted_init(struct formatted *formatted, size_t cap);
void formatted_release(struct formatted *formatted);

/* Begins a batch without records. NO_MEMORY; then nothing is to be restored. */
int formatted_begin(struct formatted *formatted, int64_t now_us, struct err *e);

/* Begins another batch, which counts or not with those before it since formatted_begin. */
void formatted_go_on(struct formatted *formatted, int64_t now_us);

/* Adds the records of an item; `number` becomes their `item`. What the item's route has not asked for has none. Errors:
 * of the format's open and add, wrapped by sink_wrap. */
int formatted_add(struct formatted *formatted, const struct item *item, size_t number, struct err *e);

/* Adds the records of what the formats keep: the end of the batch. Errors of the format's flush. */
int formatted_flush(struct formatted *formatted, struct err *e);

/* Nothing since formatted_begin counts: no records, and the formats are as they were before it. */
void formatted_restore(struct formatted *formatted);

#endif
