/* Allocations of the project's own code that fail on demand. A test that includes this header is linked so that malloc,
 * calloc and realloc of all static code go through it (tests/CMakeLists.txt); shared libraries keep theirs. One thread.
 */
#ifndef SLUICE_TESTS_ALLOC_FAULT_H
#define SLUICE_TESTS_ALLOC_FAULT_H

#include <stdbool.h>

/* The n-th allocation from now on fails, those before and after it work; 0: none fails. */
void alloc_fault_arm(unsigned n);

/* Whether the armed allocation was reached. */
bool alloc_fault_met(void);

#endif
