/* Any bytes as a message of Canal. */
#include "fuzz/input_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    input_fuzz(&input_canal, bytes, len);
    return 0;
}
