"""What depends on the run, in the lines of each peer, as the string "*"."""

import re


def canal_volatile(line):
    line = re.sub(
        r'"es":\d+,"gtid":("[^"]*"),"id":\d+,"isDdl"',
        lambda m: '"es":"*","gtid":{},"id":"*","isDdl"'.format('""' if m.group(1) == '""' else '"*"'),
        line,
        count=1,
    )
    return re.sub(r'"ts":\d+,"type":"(\w+)"}$', r'"ts":"*","type":"\1"}', line)


def maxwell_volatile(line):
    names = "ts|xid|position|gtid|server_id|serverId|thread_id|schema_id|push_ts"
    head, mark, rest = line.partition('"data":{') if '"data":{' in line else (line, "", "")
    if not mark and '"sql":' in head:  # a DDL line: ts stands last
        return re.sub(r'"(ts|position|gtid|schema_id)":("[^"]*"|\d+|null)', r'"\1":"*"', head)
    return re.sub(rf'"({names})":("[^"]*"|[\d.]+|null)', r'"\1":"*"', head) + mark + rest


def debezium_volatile(value):
    if re.search(r'(^|\t)\{"status":', value):
        return re.sub(r'("id":|"ts_ms":)("[^"]*"|\d+)', r'\1"*"', value)
    mark = '"source":{"version":'
    at = value.rfind(mark) if not value.startswith("{" + mark) else 1
    if at < 0:
        return value
    head, rest = value[:at], value[at:]
    names = "ts_ms|ts_us|ts_ns|server_id|gtid|file|pos|thread"
    if at == 1:  # a change of a table's definition
        rest, ddl, more = rest.partition(',"databaseName":')
    else:
        ddl = more = ""
    rest = re.sub(rf'"({names})":("[^"]*"|\d+)', r'"\1":"*"', rest)
    rest = re.sub(r'"transaction":{"id":"[^"]*"', r'"transaction":{"id":"*"', rest)
    return head + rest + ddl + more


VOLATILE = {"canal": canal_volatile, "debezium": debezium_volatile, "maxwell": maxwell_volatile}
