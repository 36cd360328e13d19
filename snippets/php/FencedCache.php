<?php

declare(strict_types=1);

/**
 * Cache reads for keys that sluice fences (`mode: fence`): a fill never outlives a change that it did not see.
 *
 *     $cache = new FencedCache(FencedCache::phpredis($redis), 'snippets/redis');
 *     $order = $cache->get('order:17', fn() => readOrder(17), 3_600_000);
 *
 * $load reads the database, in no snapshot that is older than the call, and returns a string. $holdMs and $maxFillMs are
 * hold_ms and max_fill_ms of the sink. With $leaseMs one reader of a key fills at a time, within that time; the others get
 * what the key held before (`old_ms` of the sink), or wait for it. Errors of $load and of Redis are thrown. PHP 7.4.
 */
final class FencedCache
{
    private const WAIT_US = 5000;

    /** @var callable(string $command, string $script, string[] $keys, string[] $args): mixed */
    private $call;
    private array $get;
    private array $fill;
    private int $holdMs;
    private int $maxFillMs;
    private int $leaseMs;

    public function __construct(
        callable $call,
        string $scripts,
        int $holdMs = 1000,
        int $maxFillMs = 60000,
        int $leaseMs = 0
    ) {
        $this->call = $call;
        $this->get = self::script("$scripts/get.lua");
        $this->fill = self::script("$scripts/fill.lua");
        $this->holdMs = $holdMs;
        $this->maxFillMs = $maxFillMs;
        $this->leaseMs = $leaseMs;
    }

    /** A Redis or RedisCluster of phpredis, without OPT_PREFIX. */
    public static function phpredis(object $redis): callable
    {
        return static function (string $command, string $script, array $keys, array $args) use ($redis) {
            $redis->clearLastError();
            $reply = $redis->$command($script, [...$keys, ...$args], count($keys));
            if ($redis->getLastError() !== null) {
                throw new RuntimeException($redis->getLastError());
            }
            return $reply;
        };
    }

    /** A Predis\Client without a prefix. */
    public static function predis(object $client): callable
    {
        return static fn(string $command, string $script, array $keys, array $args)
            => $client->$command($script, count($keys), ...$keys, ...$args);
    }

    /** The name of what stands beside a key, in one slot with it: "fence", "lease" or "old". */
    public static function beside(string $kind, string $key): string
    {
        $begin = strpos($key, '{');
        $end = $begin === false ? false : strpos($key, '}', $begin);
        return "sluice:$kind:" . ($end !== false && $end > $begin + 1 ? $key : '{' . $key . '}');
    }

    /** The cached value, or what $load() returns, which is stored if it is safe. */
    public function get(string $key, callable $load, int $ttlMs): string
    {
        $keys = [$key, self::beside('fence', $key), self::beside('lease', $key), self::beside('old', $key)];
        $text = bin2hex(random_bytes(16));
        while (true) {
            $found = $this->run($this->get, $keys, [$text, $this->holdMs, $this->maxFillMs, $this->leaseMs]);
            if (count($found) === 1) {
                return $found[0];
            }
            [, $token, $settled, $mine, $old] = $found;
            if ($mine) {
                return $this->fill($keys, [$token, $settled], $load(), [$ttlMs, $this->holdMs, $text]);
            }
            if (is_string($old)) {
                return $old;
            }
            usleep(self::WAIT_US);
        }
    }

    private function fill(array $keys, array $found, string $value, array $more): string
    {
        $this->run($this->fill, $keys, [...$found, $value, ...$more]);
        return $value;
    }

    private function run(array $script, array $keys, array $args)
    {
        $args = array_map('strval', $args);
        try {
            return ($this->call)('evalsha', $script['sha'], $keys, $args);
        } catch (Exception $error) {
            if (strpos($error->getMessage(), 'NOSCRIPT') !== 0) {
                throw $error;
            }
            return ($this->call)('eval', $script['text'], $keys, $args);
        }
    }

    private static function script(string $path): array
    {
        $text = file_get_contents($path);
        if ($text === false) {
            throw new RuntimeException("cannot read $path");
        }
        return ['text' => $text, 'sha' => sha1($text)];
    }
}
