/* GTID set arithmetic for tests in other languages: reads one operation per line, writes one answer per line.
 *
 *   canonical A · union A B · subtract A B · intersect A B · encode A · encode_tagged A · decode BYTES
 *   contains A B (is B in A) · equal A B
 *
 * Operands are in hexadecimal, "-" for empty. The answer is a set's text, 1 or 0, bytes in hexadecimal, or
 * "error: NAME". MySQL's flavour, or with the argument `mariadb` that one. */
#include <stdio.h>
#include <stdlib.h>

#include "position/gtid.h"

#define OPERANDS_MAX 2

static enum flavor flavor = FLAVOR_MYSQL;

struct operand {
    uint8_t *bytes;
    size_t len;
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of one word; ends the program for what is no hexadecimal. */
static struct operand operand_of(const char *word)
{
    size_t len = strcmp(word, "-") == 0 ? 0 : strlen(word);
    struct operand out = {malloc(len / 2 + 1), len / 2};
    for (size_t i = 0; out.bytes && i < out.len; i++) {
        int high = hex_digit(word[2 * i]), low = hex_digit(word[2 * i + 1]);
        if (high < 0 || low < 0)
            exit(2);
        out.bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (!out.bytes || len % 2)
        exit(2);
    return out;
}

static int parse(struct gtid_set **out, const struct operand *from, struct err *e)
{
    return gtid_set_parse(out, flavor, (const char *)from->bytes, from->len, e);
}

static void print_set(const struct gtid_set *set)
{
    struct buf text;
    buf_init(&text, 0);
    gtid_set_print(set, &text);
    printf("%.*s\n", (int)text.len, text.len ? (const char *)text.p : "");
    buf_release(&text);
}

static int print_wire(const struct gtid_set *set, bool tagged, struct err *e)
{
    struct buf wire;
    buf_init(&wire, 0);
    int rc = gtid_set_encode(set, tagged, &wire, e);
    for (size_t i = 0; rc == 0 && i < wire.len; i++)
        printf("%02x", wire.p[i]);
    if (rc == 0)
        putchar('\n');
    buf_release(&wire);
    return rc;
}

typedef int change_fn(struct gtid_set *set, const struct gtid_set *other, struct err *e);

static change_fn *change_of(const char *op)
{
    return strcmp(op, "union") == 0       ? gtid_set_union
           : strcmp(op, "subtract") == 0  ? gtid_set_subtract
           : strcmp(op, "intersect") == 0 ? gtid_set_intersect
                                          : NULL;
}

static int answer(const char *op, struct gtid_set *a, const struct gtid_set *b, struct err *e)
{
    change_fn *change = change_of(op);
    int rc = change ? change(a, b, e) : 0;
    if (rc)
        return rc;
    if (change || strcmp(op, "canonical") == 0 || strcmp(op, "decode") == 0)
        print_set(a);
    else if (strcmp(op, "contains") == 0)
        printf("%d\n", gtid_set_contains_set(a, b));
    else if (strcmp(op, "equal") == 0)
        printf("%d\n", gtid_set_equal(a, b));
    else if (strncmp(op, "encode", 6) == 0)
        return print_wire(a, strcmp(op, "encode_tagged") == 0, e);
    else
        exit(2);
    return 0;
}

static void run_line(char *line)
{
    struct operand operands[OPERANDS_MAX] = {{NULL, 0}};
    struct gtid_set *sets[OPERANDS_MAX] = {NULL};
    struct err e = ERR_INIT;
    char *rest = NULL;
    const char *op = strtok_r(line, " \n", &rest);
    int rc = 0;
    for (size_t i = 0; i < OPERANDS_MAX && rc == 0; i++) {
        const char *word = strtok_r(NULL, " \n", &rest);
        if (!word)
            break;
        operands[i] = operand_of(word);
        rc = strcmp(op, "decode") == 0 ? gtid_set_decode(&sets[i], operands[i].bytes, operands[i].len, &e)
                                       : parse(&sets[i], &operands[i], &e);
    }
    if (rc == 0 && op && sets[0])
        rc = answer(op, sets[0], sets[1] ? sets[1] : sets[0], &e);
    if (rc)
        printf("error: %s\n", err_code_name(e.code));
    for (size_t i = 0; i < OPERANDS_MAX; i++) {
        gtid_set_free(sets[i]);
        free(operands[i].bytes);
    }
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    if (argc > 1 && strcmp(argv[1], "mariadb") == 0)
        flavor = FLAVOR_MARIADB;
    while (getline(&line, &size, stdin) > 0)
        run_line(line);
    free(line);
    return 0;
}
