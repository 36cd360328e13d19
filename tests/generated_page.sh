#!/bin/sh
# A page's part below the line `<!-- generated -->` is what the program prints. Arguments: program, flag, page. With
# UPDATE=1 the page is written anew.
program=$1 flag=$2 page=$3
head=$(sed '/^<!-- generated -->$/q' "$page")
fresh=$(printf '%s\n%s' "$head" "$("$program" "$flag")")
if [ -n "${UPDATE:-}" ]; then
    printf '%s\n' "$fresh" >"$page"
fi
printf '%s\n' "$fresh" | diff -u "$page" - && echo "$page is what $flag prints"
