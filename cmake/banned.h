/* Functions that write without a bound, hide errors or keep static state: their use does not compile. */
#ifndef SLUICE_BANNED_H
#define SLUICE_BANNED_H
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#undef alloca
#undef sprintf /* a macro in glibc's fortified headers with clang */
#pragma GCC poison sprintf vsprintf strcpy strncpy strcat strncat strtok atoi atol atof gets gmtime localtime alloca
#endif
