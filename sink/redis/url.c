/* Reading a Redis URL. */
#include "sink/redis/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DB_MAX 65535

/* A piece of the URL's text. */
struct span {
    const char *p;
    size_t len;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded into `out` of `size` bytes with a NUL; false when it does not fit, is malformed or holds a NUL. */
static bool decode(struct span in, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.p[i];
        if (c == '%') {
            int high = in.len - i > 2 ? hex_digit(in.p[i + 1]) : -1;
            int low = in.len - i > 2 ? hex_digit(in.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || n + 1 >= size)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

static bool number(struct span in, unsigned max, unsigned *out)
{
    unsigned value = 0;
    if (in.len == 0 || in.len > 5)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        if (in.p[i] < '0' || in.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(in.p[i] - '0');
    }
    *out = value;
    return value <= max;
}

/* Cuts `in` at the first (or last) `at`: what stands before goes to *head, `in` keeps what stands behind. */
static bool cut(struct span *in, char at, bool last, struct span *head)
{
    const char *p = in->len ? (last ? memrchr(in->p, at, in->len) : memchr(in->p, at, in->len)) : NULL;
    if (!p)
        return false;
    *head = (struct span){in->p, (size_t)(p - in->p)};
    *in = (struct span){p + 1, in->len - head->len - 1};
    return true;
}

/* The part before '@'. */
static const char *read_user(struct span user, struct redis_address *out)
{
    struct span name;
    if (cut(&user, ':', false, &name)) {
        out->has_password = true;
        if (!decode(user, out->password, sizeof out->password))
            return "the password is too long or wrongly encoded";
    } else {
        name = user;
    }
    out->has_username = name.len > 0;
    return decode(name, out->username, sizeof out->username) ? NULL : "the user name is too long or wrongly encoded";
}

static const char *read_host(struct span rest, struct redis_address *out)
{
    struct span host;
    unsigned port = out->port;
    if (rest.len && rest.p[0] == '[') {
        rest = (struct span){rest.p + 1, rest.len - 1};
        if (!cut(&rest, ']', false, &host) || (rest.len && rest.p[0] != ':'))
            return "an IPv6 address ends with ]";
        if (rest.len && !number((struct span){rest.p + 1, rest.len - 1}, UINT16_MAX, &port))
            return "the port is a number from 1 to 65535";
    } else if (cut(&rest, ':', false, &host)) {
        if (!number(rest, UINT16_MAX, &port))
            return "the port is a number from 1 to 65535";
    } else {
        host = rest;
    }
    if (port == 0)
        return "the port is a number from 1 to 65535";
    if (host.len == 0)
        return "the host is missing";
    out->port = (uint16_t)port;
    return decode(host, out->host, sizeof out->host) ? NULL : "the host is too long or wrongly encoded";
}

static const char *read_tcp(struct span rest, struct redis_address *out)
{
    struct span authority = rest, user, db = {NULL, 0};
    if (cut(&rest, '/', false, &authority))
        db = rest;
    if (cut(&authority, '@', true, &user)) {
        const char *wrong = read_user(user, out);
        if (wrong)
            return wrong;
    }
    if (db.len && !number(db, DB_MAX, &out->db))
        return "the database behind / is a number";
    return read_host(authority, out);
}

static const char *read_unix(struct span rest, struct redis_address *out)
{
    struct span path = rest, query = {NULL, 0};
    out->is_unix = true;
    if (cut(&rest, '?', false, &path))
        query = rest;
    if (query.len) {
        if (query.len < 3 || memcmp(query.p, "db=", 3) != 0 ||
            !number((struct span){query.p + 3, query.len - 3}, DB_MAX, &out->db))
            return "behind ? only db=N is known";
    }
    if (path.len == 0 || path.p[0] != '/')
        return "a socket's path begins with /";
    return decode(path, out->host, sizeof out->host) && path.len < 108 ? NULL : "the socket's path is too long";
}

static bool starts(const char *url, const char *scheme, struct span *rest)
{
    size_t len = strlen(scheme);
    *rest = (struct span){url + len, 0};
    if (strncasecmp(url, scheme, len) != 0)
        return false;
    rest->len = strlen(rest->p);
    return true;
}

/* The address with the login that it lacks, and its name for messages. */
static int complete(struct redis_address *address, const char *username, const char *password,
                    struct redis_address *out, struct err *e)
{
    if (username && !address->has_username) {
        address->has_username = true;
        if ((size_t)snprintf(address->username, sizeof address->username, "%s", username) >= sizeof address->username)
            return err_set(e, SINK_URL, "the user name is too long");
    }
    if (password && !address->has_password) {
        address->has_password = true;
        if ((size_t)snprintf(address->password, sizeof address->password, "%s", password) >= sizeof address->password)
            return err_set(e, SINK_URL, "the password is too long");
    }
    if (address->has_username && !address->has_password)
        return err_set(e, SINK_URL, "a user name needs a password");
    if (address->is_unix)
        snprintf(address->name, sizeof address->name, "redis %s", address->host);
    else
        snprintf(address->name, sizeof address->name, strchr(address->host, ':') ? "redis [%s]:%u" : "redis %s:%u",
                 address->host, (unsigned)address->port);
    *out = *address;
    return 0;
}

int redis_address_init(struct redis_address *out, const struct redis_options *opt, struct err *e)
{
    struct redis_address address = {.db = (unsigned)opt->db, .port = REDIS_PORT_DEFAULT};
    struct span rest;
    const char *wrong;
    if (starts(opt->url, "redis://", &rest))
        wrong = read_tcp(rest, &address);
    else if (starts(opt->url, "unix://", &rest))
        wrong = read_unix(rest, &address);
    else if (starts(opt->url, "rediss://", &rest))
        wrong = "TLS to Redis is not there yet";
    else
        wrong = "it begins with redis:// or unix://";
    return wrong ? err_set(e, SINK_URL, wrong) : complete(&address, opt->username, opt->password, out, e);
}

int redis_address_at(struct redis_address *out, const struct redis_options *opt, const char *host, uint16_t port,
                     struct err *e)
{
    struct redis_address address = {.db = (unsigned)opt->db, .port = port};
    if ((size_t)snprintf(address.host, sizeof address.host, "%s", host) >= sizeof address.host)
        return err_set(e, SINK_URL, "the host is too long or wrongly encoded");
    return complete(&address, opt->username, opt->password, out, e);
}

int redis_address_of_sentinel(struct redis_address *out, const struct redis_options *opt, const char *text,
                              struct err *e)
{
    struct redis_address address = {.port = REDIS_SENTINEL_PORT_DEFAULT};
    const char *wrong = strpbrk(text, "/@") ? "a Sentinel is given as host:port"
                                            : read_host((struct span){text, strlen(text)}, &address);
    return wrong ? err_set(e, SINK_URL, wrong)
                 : complete(&address, opt->sentinel_username, opt->sentinel_password, out, e);
}
