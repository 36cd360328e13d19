/* Canal's flat message, as it goes to a message queue with canal.mq.flatMessage=true: one JSON object for all rows of a
 * rows event, values as text. Every rule with its source, and where this differs: docs/peers/canal.md. */
#ifndef SLUICE_CHANGE_FORMAT_CANAL_H
#define SLUICE_CHANGE_FORMAT_CANAL_H

#include "change/format.h"

extern const struct format_ops format_canal;

#endif
