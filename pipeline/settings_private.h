/* What settings.c and settings_routes.c share. */
#ifndef SLUICE_PIPELINE_SETTINGS_PRIVATE_H
#define SLUICE_PIPELINE_SETTINGS_PRIVATE_H

#include "partition/lane.h"
#include "pipeline/settings.h"

int settings_read_sinks(struct settings *out, struct config *cfg, struct err *e);

/* Needs the sinks. */
int settings_read_routes(struct settings *out, struct config *cfg, struct err *e);

#endif
