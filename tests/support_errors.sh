#!/bin/sh
# Every error that docs/support.md links is one of docs/errors.md, and there are some. Argument: the folder of the pages.
names=$(grep -o '\[`[a-z_]*`\](errors.md)' "$1/support.md" | tr -d '[]`' | sed 's/(.*//' | sort -u)
[ -n "$names" ] || { echo "no errors are named"; exit 1; }
for name in $names; do
    grep -qx "### \`$name\`" "$1/errors.md" || { echo "there is no error called $name"; exit 1; }
done
