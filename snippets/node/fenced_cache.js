'use strict';

/**
 * Cache reads for keys that sluice fences (`mode: fence`): a fill never outlives a change that it did not see.
 *
 *     const cache = new FencedCache(nodeRedis(client), 'snippets/redis');
 *     const order = await cache.get('order:17', () => readOrder(17), 3_600_000);
 *
 * `load` reads the database, in no snapshot that is older than the call, and returns a string or a Buffer, or a promise
 * of one. holdMs and maxFillMs are hold_ms and max_fill_ms of the sink. With leaseMs one reader of a key fills at a time,
 * within that time; the others get what the key held before (`old_ms` of the sink), or wait for it. Errors of `load` and
 * of Redis are thrown. Values come as the client answers: strings, or Buffers if it is told so.
 */

const { createHash, randomBytes } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const WAIT_MS = 5;

/** node-redis 4 and newer: a client or a cluster. For Buffers: commandOptions({ returnBuffers: true }) of node-redis 4. */
function nodeRedis(client, ...options) {
    return {
        evalsha: (sha, keys, args) => client.evalSha(...options, sha, { keys, arguments: args }),
        eval: (script, keys, args) => client.eval(...options, script, { keys, arguments: args }),
    };
}

/** ioredis: a Redis or a Cluster. */
function ioredis(client, { buffers = false } = {}) {
    const suffix = buffers ? 'Buffer' : '';
    return {
        evalsha: (sha, keys, args) => client[`evalsha${suffix}`](sha, keys.length, ...keys, ...args),
        eval: (script, keys, args) => client[`eval${suffix}`](script, keys.length, ...keys, ...args),
    };
}

function isText(value) {
    return typeof value === 'string' || Buffer.isBuffer(value);
}

class FencedCache {
    #client;
    #scripts;
    #options;

    constructor(client, scripts, { holdMs = 1000, maxFillMs = 60_000, leaseMs = 0 } = {}) {
        this.#client = client;
        this.#options = { holdMs, maxFillMs, leaseMs };
        const read = (name) => {
            const text = readFileSync(join(scripts, name), 'utf8');
            return { text, sha: createHash('sha1').update(text).digest('hex') };
        };
        this.#scripts = { get: read('get.lua'), fill: read('fill.lua') };
    }

    /** The name of what stands beside a key, in one slot with it: "fence", "lease" or "old". A Buffer. */
    static beside(kind, key) {
        const bytes = Buffer.from(key);
        const begin = bytes.indexOf('{');
        const end = begin < 0 ? -1 : bytes.indexOf('}', begin);
        const [open, close] = end > begin + 1 ? ['', ''] : ['{', '}'];
        return Buffer.concat([Buffer.from(`sluice:${kind}:${open}`), bytes, Buffer.from(close)]);
    }

    /** The cached value, or what load() returns, which is stored if it is safe. */
    async get(key, load, ttlMs) {
        const { holdMs, maxFillMs, leaseMs } = this.#options;
        const keys = [key, ...['fence', 'lease', 'old'].map((kind) => FencedCache.beside(kind, key))];
        const text = randomBytes(16).toString('hex');
        for (;;) {
            const found = await this.#run(this.#scripts.get, keys, [text, holdMs, maxFillMs, leaseMs]);
            if (found.length === 1) {
                return found[0];
            }
            const [, token, settled, mine, old] = found;
            if (mine) {
                const value = await load();
                if (!isText(value)) {
                    throw new TypeError('load() must return a string or a Buffer');
                }
                await this.#run(this.#scripts.fill, keys, [token, settled, value, ttlMs, holdMs, text]);
                return value;
            }
            if (old !== null) {
                return old;
            }
            await sleep(WAIT_MS);
        }
    }

    async #run(script, keys, args) {
        const texts = args.map((one) => (isText(one) ? one : String(one)));
        try {
            return await this.#client.evalsha(script.sha, keys, texts);
        } catch (error) {
            if (!String(error.message).startsWith('NOSCRIPT')) {
                throw error;
            }
            return this.#client.eval(script.text, keys, texts);
        }
    }
}

module.exports = { FencedCache, nodeRedis, ioredis };
