/* Reads a body as an event of a type, whatever the type, and throws the result away: for damaged and random bytes. */
#ifndef SLUICE_TESTS_EVENT_ANY_H
#define SLUICE_TESTS_EVENT_ANY_H

#include "binlog/event.h"

/* The reader's result. A table map that is read is taken apart further: types and optional metadata. */
int event_any_read(uint8_t type, const uint8_t *body, size_t len, const struct event_format *format, struct err *e);

#endif
