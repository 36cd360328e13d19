#!/bin/sh
# The core calls no clock, socket, file or thread function and links no client library: its objects' undefined symbols are held
# against a list of what is forbidden. Arguments: the static libraries of the core folders. Objects that are drivers (sources over a stream or
# files, the readers of a live server) are left out by name.
drivers='source_stream|source_file|stream_|server|foreign_key'
forbidden='time|clock_gettime|gettimeofday|nanosleep|usleep|sleep|open|openat|fopen|read|write|close|fsync|unlink|rename|mmap|
socket|connect|send|recv|poll|select|epoll_wait|eventfd|pthread_[a-z_]*|sem_[a-z_]*|mysql_[a-z_]*|redis[A-Z][A-Za-z]*|rand|random|getrandom|getenv'
pattern=$(printf '%s' "$forbidden" | tr -d '\n')
status=0
count=0
for library in "$@"; do
    found=$(nm -A -u "$library" 2>/dev/null | grep -vE ":($drivers)[a-z_]*\.c\.o:" | grep -E " U ($pattern)(@.*)?$")
    count=$((count + $(nm -A -u "$library" 2>/dev/null | grep -c ' U ')))
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        status=1
    fi
done
[ "$count" -gt 100 ] || { echo "only $count undefined symbols seen: wrong arguments?"; exit 1; }
exit $status
