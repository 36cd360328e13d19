/* A history in a state directory of a memfs, and a small life of it: the steps are fallible, so that they can be made
 * to fail. Every other failure fails the test. */
#ifndef SLUICE_TESTS_HISTORY_KIT_H
#define SLUICE_TESTS_HISTORY_KIT_H

#include "schema/history.h"
#include "schema/history_private.h"
#include "tools/memfs.h"

#define HISTORY_KIT_SERVER "aaaaaaaa-0000-0000-0000-000000000000"
#define HISTORY_KIT_DIR    "/state"
#define HISTORY_KIT_LOG    HISTORY_KIT_DIR "/" HISTORY_LOG_NAME ".log"

struct state *history_kit_state(const struct env *env, const char *dir, enum state_mode mode);
struct history *history_kit_history(struct state *base, struct state *own);

/* Definitions of tables of shop; the places are in bin.000001 of HISTORY_KIT_SERVER. */
struct history_change history_kit_defined(const char *table, const char *text);
int history_kit_put_at(struct history *h, uint64_t pos, const struct history_change *changes, size_t count,
                       struct err *e);
void history_kit_put(struct history *h, const char *table, const char *text, uint64_t pos);

/* The text that holds at the place, "gone" or "none". */
const char *history_kit_find(struct history *h, const char *table, uint64_t pos);

/* A service that opens its state and its history, does one step, and ends; the result of what failed. */
typedef int history_kit_step_fn(struct history *h, struct err *e);
int history_kit_run(struct memfs *fs, history_kit_step_fn *step);

/* Two tables at 10; at 20 the new one takes the old one's place; then what lies before 5 is cut off, and the case rule
 * is learnt. */
int history_kit_make(struct history *h, struct err *e);
int history_kit_swap(struct history *h, struct err *e);
int history_kit_cut(struct history *h, struct err *e);
int history_kit_learn_case(struct history *h, struct err *e);

#endif
