/* Lanes of keys for tests in other languages: reads one key per line, writes its lane of so many. */
#include <stdio.h>
#include <stdlib.h>

#include "partition/key.h"

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    unsigned long lanes = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (lanes == 0 || lanes > UINT32_MAX)
        return 2;
    while ((len = getline(&line, &size, stdin)) > 0)
        printf("%u\n", key_lane(line, (size_t)len - (line[len - 1] == '\n'), (unsigned)lanes));
    free(line);
    return 0;
}
