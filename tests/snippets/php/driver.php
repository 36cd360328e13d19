<?php

// The PHP snippet behind phpredis, for tests/system/test_fence_snippets.py, which has the protocol.

declare(strict_types=1);

const SNIPPETS = __DIR__ . '/../../../snippets';
require SNIPPETS . '/php/FencedCache.php';

function say(array $what): void
{
    echo json_encode($what, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}

function load(): string
{
    say(['load' => true]);
    $found = json_decode(fgets(STDIN), true);
    if (isset($found['fail'])) {
        throw new RuntimeException($found['fail']);
    }
    return hex2bin($found['value']);
}

$options = json_decode($argv[1], true);
$redis = new Redis();
$redis->connect('127.0.0.1', $options['port']);
if (isset($options['username'])) {
    $redis->auth([$options['username'], $options['password']]);
}
$cache = new FencedCache(
    FencedCache::phpredis($redis),
    SNIPPETS . '/redis',
    $options['hold_ms'],
    $options['max_fill_ms'],
    $options['lease_ms']
);
while (($line = fgets(STDIN)) !== false) {
    $ask = json_decode($line, true);
    $key = hex2bin($ask['key']);
    try {
        $got = isset($ask['beside']) ? FencedCache::beside($ask['beside'], $key) : $cache->get($key, 'load', $ask['ttl_ms']);
        say(['got' => bin2hex($got)]);
    } catch (Exception $error) {
        say(['error' => $error->getMessage()]);
    }
}
