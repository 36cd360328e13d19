'use strict';

// The Node snippet behind node-redis, for tests/system/test_fence_snippets.py, which has the protocol.

const path = require('node:path');
const readline = require('node:readline');
const { commandOptions, createClient } = require('redis');

const SNIPPETS = path.join(__dirname, '..', '..', '..', 'snippets');
const { FencedCache, nodeRedis } = require(path.join(SNIPPETS, 'node', 'fenced_cache.js'));

function say(what) {
    process.stdout.write(`${JSON.stringify(what)}\n`);
}

async function main() {
    const { port, username, password, hold_ms, max_fill_ms, lease_ms } = JSON.parse(process.argv[2]);
    const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: () => new Error('lost') }, username, password });
    client.on('error', () => {});
    await client.connect();
    const cache = new FencedCache(
        nodeRedis(client, commandOptions({ returnBuffers: true })),
        path.join(SNIPPETS, 'redis'),
        { holdMs: hold_ms, maxFillMs: max_fill_ms, leaseMs: lease_ms },
    );
    const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

    async function load() {
        say({ load: true });
        const found = JSON.parse((await lines.next()).value);
        if ('fail' in found) {
            throw new Error(found.fail);
        }
        return Buffer.from(found.value, 'hex');
    }

    for (let line = await lines.next(); !line.done; line = await lines.next()) {
        const ask = JSON.parse(line.value);
        const key = Buffer.from(ask.key, 'hex');
        try {
            const got = 'beside' in ask ? FencedCache.beside(ask.beside, key) : await cache.get(key, load, ask.ttl_ms);
            say({ got: got.toString('hex') });
        } catch (error) {
            say({ error: String(error.message) });
        }
    }
    process.exit(0);
}

main();
