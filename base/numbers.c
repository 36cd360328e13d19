/* Numbers. */
#include "base/numbers.h"

#include <stdlib.h>

#define FIRST 64

int numbers_add(struct numbers *numbers, uint64_t number, struct err *e)
{
    if (numbers->count == numbers->size) {
        size_t size = numbers->size ? 2 * numbers->size : FIRST;
        uint64_t *grown = realloc(numbers->list, size * sizeof *grown);
        if (!grown)
            return err_set(e, NO_MEMORY, size * sizeof *grown);
        numbers->list = grown;
        numbers->size = size;
    }
    numbers->list[numbers->count++] = number;
    return 0;
}

void numbers_release(struct numbers *numbers)
{
    free(numbers->list);
    *numbers = (struct numbers){.list = NULL};
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void numbers_sort(struct numbers *numbers)
{
    if (numbers->count)
        qsort(numbers->list, numbers->count, sizeof *numbers->list, compare);
}

bool numbers_has(const struct numbers *sorted, uint64_t number)
{
    return sorted->count && bsearch(&number, sorted->list, sorted->count, sizeof number, compare);
}
