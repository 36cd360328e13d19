/* What settings.c and settings_routes.c share. */
#ifndef SLUICE_PIPELINE_SETTINGS_PRIVATE_H
#define SLUICE_PIPELINE_SETTINGS_PRIVATE_H

#include "partition/lane.h"
#include "pipeline/settings.h"

/* Zeroed memory that lives in `cfg`; NULL with NO_MEMORY. */
void *settings_alloc(struct config *cfg, size_t len, struct err *e);

/* What the section says, when it is there. */
int settings_read_bus(struct settings *out, struct config *cfg, struct err *e);

/* A kind's own options from its mapping, checked; the struct lives in `cfg`. NULL after an error. */
void *settings_read_kind(const struct sink_ops *ops, struct config *cfg, const struct node *node, struct err *e);

int settings_read_sinks(struct settings *out, struct config *cfg, struct err *e);

/* Needs the sinks. */
int settings_read_routes(struct settings *out, struct config *cfg, struct err *e);

/* What the sinks say of all their routes together. */
int settings_check_routes(const struct settings *settings, struct err *e);

/* Of a reader, before the bus takes the place of its routes' sinks: tells it which columns these read. */
int settings_note_reads(const struct settings *settings, struct config *cfg, struct err *e);

#endif
