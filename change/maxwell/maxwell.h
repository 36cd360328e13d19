/* The format "maxwell" (change/format.h): Maxwell's row JSON, rule by rule in docs/peers/maxwell.md. */
#ifndef SLUICE_CHANGE_FORMAT_MAXWELL_H
#define SLUICE_CHANGE_FORMAT_MAXWELL_H

#include "change/format.h"

extern const struct format_ops format_maxwell;

#endif
