/* The table of commands: what each joins to one spine.
 *
 *   command   source             lanes       sinks                           position is kept in
 *   run       stream             partitions  the routes' sinks               state_dir
 *   dump      stream or files    one         stdout, inline                  nowhere
 *   replay    stream or files    partitions  the routes' sinks or a counter  state_dir/replay/NAME
 *   position  none: shows or sets what run keeps
 *   schema    none (show FILE: files): shows or repairs the history that run keeps
 *   dlq       dead letters       partitions  the letter's sink, inline       state_dir/dlq: what is done
 *   status    none: asks a running service */
#include "cmd/command.h"

const struct command *const commands[] = {&command_run,    &command_dump, &command_replay, &command_position,
                                          &command_schema, &command_dlq,  &command_status, NULL};
