# Warnings, hardening and the list of banned functions, as one interface target that every folder and test links.
add_library(sluice_warnings INTERFACE)
target_compile_options(sluice_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef
  $<$<BOOL:${SLUICE_WERROR}>:-Werror> -fno-common -include ${CMAKE_CURRENT_LIST_DIR}/banned.h)
target_compile_definitions(sluice_warnings INTERFACE _GNU_SOURCE)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(sluice_warnings INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=2)
  target_link_options(sluice_warnings INTERFACE -Wl,-z,relro,-z,now)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(sluice_warnings INTERFACE -march=x86-64-v2)
endif()
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
